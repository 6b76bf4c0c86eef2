# Activating the digital identity.
activation-title = Activate your digital identity
activation-explained = Enter the user name and the activation code from the message you received.
activation-code = Activation code
activation-code-hint = With or without hyphens, capital or small letters
activation-wrong = This user name and this code do not belong together
activation-wrong-cure = Copy both exactly from the activation message. If you received several, use the most recent.
activation-expired = This code has not been valid since { $day }
activation-expired-cure = Ask the office of your school for a new code.
activation-used = This code has been used already
activation-used-cure = Your digital identity is already active. If that was not you, tell your school at once.
activation-wait = Too many tries: please wait { $wait }
activation-wait-cure = Have your activation message ready, then try again.
activation-no-code = No activation code?
activation-no-code-text = It is sent by mail or handed out on paper when your school creates your account. Look in your spam folder too, or ask the school office.
data-title = Is this you?
data-explained = This is what your school has on record.
data-first-name = First name
data-last-name = Last name
data-mail = Mail address
data-school = School
data-submit = Yes, that is me
data-wrong = Is something wrong?
data-wrong-text = Continue all the same and tell the office of your school: they will correct it without your having to start again.
data-not-me = That is not me
data-not-me-text = Close this page and tell the school office: the message was not meant for you.
password-title = Choose your password
password-explained = Several words that only you would put together are easier to remember than one complicated word. Your browser can also suggest a password and keep it.
password-new = New password
password-again = The same once more
password-show = Show
password-hide = Hide
password-rules = Your password
rule-length = has { $least } to { $most } characters
rule-classes = { $n ->
    [one] contains capital or small letters, digits or signs
   *[other] mixes at least { $n } of these 4 kinds: capital letters, small letters, digits, signs
}
rule-no-names = contains neither your first nor your last name
rule-not-code = is not your activation code
rule-no-words = contains no name of a service or place, such as the canton's
rule-not-common = is not a very common password
rule-history = { $n ->
    [one] is not your previous password
   *[other] is none of your last { $n } passwords
}
rule-kept = fine
rule-broken = to be changed
password-refused = This password is not right yet
password-not-the-same = The two passwords are not the same.
password-short = It is too short: it needs at least { $n } characters.
password-long = It is too long: { $n } characters at most.
password-classes = It mixes too few kinds of characters: it needs { $n } out of capital letters, small letters, digits and signs.
password-is-code = It is your activation code, which others may have read.
password-has-name = It contains your first or last name.
password-has-word = It contains the name of a service or place, which is easy to guess.
password-common = It is one of the most common: those are tried first.
password-used-before = { $n ->
    [one] It is your previous password.
   *[other] It is one of your last { $n } passwords.
}
phone-method-title = Your telephone and your method
phone-method-explained = Outside school, a code is added to your password. Choose how you will get it.
phone-method-refused = Something is missing
phone = Mobile telephone number
phone-hint = For example 079 123 45 67. Needed for the app and for SMS: the first code will be sent there.
phone-missing = Enter your mobile telephone number.
phone-country = We cannot send SMS to that country. Enter a number from Switzerland or a neighbouring country.
phone-not-mobile = This number does not receive SMS. Enter a mobile number, such as 079 123 45 67.
phone-unreadable = We do not understand this number. Enter it like 079 123 45 67 or +41 79 123 45 67.
method = Method of strong authentication
method-missing = Choose a method.
method-app = Authenticator app
method-app-text = Your smartphone shows a code, even without reception.
method-app-risk = To be set up again when you change your smartphone.
method-sms = SMS
method-sms-text = A code is sent to you each time you sign in. Nothing to install.
method-sms-risk = Less safe than an app or a Token: an SMS can be diverted or come late.
method-token = Token
method-token-text = A small device shows the code. No smartphone needed.
method-token-risk = You must have received it already, and carry it with you.
activation-token-title = Your Token
activation-token-explained = Take your Token: we check once that it really is yours.
token-serial-label = Serial number
token-serial-hint = On the back of the Token
activation-token-wrong = This number and this code do not belong together
activation-token-wrong-cure = Check the number on the back, wait until the display changes and enter the new code.
done-title = Your digital identity is active
done-username = Your user name
done-next = What now?
done-go = Open { $application }
done-click = Open “{ $application }” and click “Sign in”.
done-app = The first time you sign in outside school, a code will be sent to you by SMS; then we guide you through installing the app.
done-sms = The first time you sign in outside school, a code will be sent to you by SMS. Then everything is ready.
done-token = There is nothing else to set up. Outside school you will be asked for the code of your Token.
done-outside = Do it from home or over the mobile network: at school, it cannot be set up.
