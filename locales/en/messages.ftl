# SMS: only characters that fit into a single message.
text-sms-code = Your sign-in code is { $code }. Do not give it to anybody.
text-sms-new-number = Your school account now uses another telephone number. If this was not you, call your school at once.
text-sms-bound-app = An authenticator app was linked to your school account. If this was not you, call your school at once.
text-sms-bound-sms = This number will now receive the codes of your school account. If this was not you, call your school at once.
text-sms-bound-token = A Token was linked to your school account. If this was not you, call your school at once.
# Mails.
mail-hello = Hello
mail-help = Need help? { $support }
mail-activation-subject = Please activate your digital identity
mail-activation =
    Your school has created your digital identity. All that is left is to activate it:

    1. Open { $link }
    2. Enter the following:

       User name: { $username }
       Activation code: { $code }

    The code works once, until { $when }. Do not pass it on to anybody.

    Activation takes about five minutes. Have your mobile telephone at hand.
mail-resume-subject = Finish setting up your strong authentication
mail-resume =
    You began on the network “{ $zone }”, where it cannot be set up.

    At home or over the mobile network, open:
    { $link }

    This link is personal. It works once, until { $when }.
mail-factor-bound-subject = Your strong authentication is set up
mail-bound-app =
    An authenticator app was linked to your account on { $when }.

    If that was you, you need do nothing. If not, tell your school at once.
mail-bound-sms =
    Your telephone number was confirmed on { $when }; it will receive your codes by SMS.

    If that was you, you need do nothing. If not, tell your school at once.
mail-bound-token =
    A Token was linked to your account on { $when }.

    If that was you, you need do nothing. If not, tell your school at once.
mail-new-number-subject = Your telephone number has changed
mail-new-number =
    The telephone number of your account was replaced by { $phone } on { $when }.

    If that was you, you need do nothing. If not, tell your school at once.
mail-second-factor-failed-subject = Somebody may know your password
mail-second-factor-failed =
    On { $when } somebody entered your password correctly and then wrong codes. The sign-in was refused.

    If that was you, you need do nothing. If not, your password is no longer secret: tell your school so that it can be changed.
mail-code-used-twice-subject = One of your codes was used twice
mail-code-used-twice =
    On { $when } a code that had already been used was entered a second time. It was refused.

    If you simply sent the page twice, you need do nothing. If not, somebody may have seen your code: tell your school.
mail-activated-subject = Your digital identity is active
mail-activated =
    Your digital identity was activated on { $when }.

    If that was you, you need do nothing. If not, tell your school at once.
mail-new-password-subject = Choose a new password
mail-new-password =
    Your school has cancelled your password and signed you out everywhere. To choose a new one:

    1. Open { $link }
    2. Enter the following:

       User name: { $username }
       Activation code: { $code }

    The code works once, until { $when }. Do not pass it on to anybody.

    You did not ask for this? Tell your school at once.
mail-password-changed-subject = Your password has changed
mail-password-changed =
    Your password was replaced by a new one on { $when }. Everywhere else you were signed out.

    If that was you, you need do nothing. If not, tell your school at once.
mail-factor-reset-subject = Your strong authentication has to be set up again
mail-factor-reset =
    Your school removed your strong authentication on { $when } and signed you out everywhere.

    You will set it up again at your next sign-in outside the school.

    You did not ask for this? Tell your school at once.
mail-recovery-made-subject = New recovery codes were made
mail-recovery-made =
    Recovery codes were made for your account on { $when }. Older codes, if there were any, are worth nothing.

    If that was you, you need do nothing. If not, tell your school at once.
mail-recovery-used-subject = One of your recovery codes was used
mail-recovery-used =
    On { $when } a recovery code was used to sign in with your account. { $left ->
        [0] It was the last one.
        [one] You have one left.
       *[other] You have { $left } left.
    }

    If that was you, you need do nothing. If not, tell your school at once.
