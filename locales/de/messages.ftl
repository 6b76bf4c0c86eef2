# SMS: nur Zeichen, die in eine einzige Nachricht passen.
text-sms-code = Ihr Code für die Anmeldung ist { $code }. Geben Sie ihn niemandem.
text-sms-new-number = Ihr Schulkonto verwendet jetzt eine andere Telefonnummer. Waren das nicht Sie, so rufen Sie sofort Ihre Schule an.
text-sms-bound-app = Eine Authentifizierungs-App wurde mit Ihrem Schulkonto verbunden. Waren das nicht Sie, so rufen Sie sofort Ihre Schule an.
text-sms-bound-sms = Diese Nummer erhält nun die Codes Ihres Schulkontos. Waren das nicht Sie, so rufen Sie sofort Ihre Schule an.
text-sms-bound-token = Ein Token wurde mit Ihrem Schulkonto verbunden. Waren das nicht Sie, so rufen Sie sofort Ihre Schule an.
# E-Mails.
mail-hello = Guten Tag
mail-help = Brauchen Sie Hilfe? { $support }
mail-activation-subject = Bitte aktivieren Sie Ihre digitale Identität
mail-activation =
    Ihre Schule hat Ihre digitale Identität erstellt. Sie müssen sie nur noch aktivieren:

    1. Öffnen Sie { $link }
    2. Geben Sie Folgendes ein:

       Benutzername: { $username }
       Aktivierungscode: { $code }

    Der Code gilt einmal, bis { $when }. Geben Sie ihn niemandem weiter.

    Die Aktivierung dauert etwa fünf Minuten. Legen Sie Ihr Mobiltelefon bereit.
mail-resume-subject = Richten Sie Ihre starke Authentifizierung fertig ein
mail-resume =
    Sie haben im Netz «{ $zone }» begonnen, wo die Einrichtung nicht möglich ist.

    Öffnen Sie zu Hause oder über das Mobilfunknetz:
    { $link }

    Dieser Link ist persönlich. Er gilt einmal, bis { $when }.
mail-factor-bound-subject = Ihre starke Authentifizierung ist eingerichtet
mail-bound-app =
    Eine Authentifizierungs-App wurde mit Ihrem Konto verbunden: { $when }.

    Waren Sie das, so müssen Sie nichts tun. Sonst melden Sie es sofort Ihrer Schule.
mail-bound-sms =
    Ihre Telefonnummer wurde bestätigt und erhält nun Ihre Codes per SMS: { $when }.

    Waren Sie das, so müssen Sie nichts tun. Sonst melden Sie es sofort Ihrer Schule.
mail-bound-token =
    Ein Token wurde mit Ihrem Konto verbunden: { $when }.

    Waren Sie das, so müssen Sie nichts tun. Sonst melden Sie es sofort Ihrer Schule.
mail-new-number-subject = Ihre Telefonnummer wurde geändert
mail-new-number =
    Die Telefonnummer Ihres Kontos ist jetzt { $phone }, geändert am { $when }.

    Waren Sie das, so müssen Sie nichts tun. Sonst melden Sie es sofort Ihrer Schule.
mail-second-factor-failed-subject = Vielleicht kennt jemand Ihr Passwort
mail-second-factor-failed =
    Jemand hat am { $when } Ihr Passwort richtig eingegeben und danach falsche Codes. Die Anmeldung wurde abgelehnt.

    Waren Sie das, so müssen Sie nichts tun. Sonst ist Ihr Passwort nicht mehr geheim: Melden Sie es Ihrer Schule, um es zu ändern.
mail-code-used-twice-subject = Einer Ihrer Codes wurde zweimal verwendet
mail-code-used-twice =
    Am { $when } wurde ein schon verwendeter Code ein zweites Mal eingegeben. Er wurde abgelehnt.

    Haben Sie nur die Seite zweimal abgeschickt, so müssen Sie nichts tun. Sonst hat vielleicht jemand Ihren Code gesehen: Melden Sie es Ihrer Schule.
mail-activated-subject = Ihre digitale Identität ist aktiv
mail-activated =
    Ihre digitale Identität wurde aktiviert: { $when }.

    Waren Sie das, so müssen Sie nichts tun. Sonst melden Sie es sofort Ihrer Schule.
mail-new-password-subject = Wählen Sie ein neues Passwort
mail-new-password =
    Ihre Schule hat Ihr Passwort aufgehoben und Sie überall abgemeldet. So wählen Sie ein neues:

    1. Öffnen Sie { $link }
    2. Geben Sie Folgendes ein:

       Benutzername: { $username }
       Aktivierungscode: { $code }

    Der Code gilt einmal, bis { $when }. Geben Sie ihn niemandem weiter.

    Haben Sie das nicht verlangt? Melden Sie es sofort Ihrer Schule.
mail-password-changed-subject = Ihr Passwort wurde geändert
mail-password-changed =
    Ihr Passwort wurde durch ein neues ersetzt: { $when }. An allen anderen Orten sind Sie abgemeldet.

    Waren Sie das, so müssen Sie nichts tun. Sonst melden Sie es sofort Ihrer Schule.
mail-factor-reset-subject = Ihre starke Authentifizierung muss neu eingerichtet werden
mail-factor-reset =
    Ihre Schule hat Ihre starke Authentifizierung entfernt und Sie überall abgemeldet: { $when }.

    Sie richten sie bei Ihrer nächsten Anmeldung ausserhalb der Schule neu ein.

    Haben Sie das nicht verlangt? Melden Sie es sofort Ihrer Schule.
mail-recovery-made-subject = Neue Notfallcodes wurden erstellt
mail-recovery-made =
    Für Ihr Konto wurden am { $when } Notfallcodes erstellt. Ältere Codes, falls es welche gab, sind nichts mehr wert.

    Waren Sie das, so müssen Sie nichts tun. Sonst melden Sie es sofort Ihrer Schule.
mail-recovery-used-subject = Einer Ihrer Notfallcodes wurde verwendet
mail-recovery-used =
    Am { $when } wurde mit Ihrem Konto ein Notfallcode für eine Anmeldung verwendet. { $left ->
        [0] Es war der letzte.
        [one] Sie haben noch einen.
       *[other] Sie haben noch { $left }.
    }

    Waren Sie das, so müssen Sie nichts tun. Sonst melden Sie es sofort Ihrer Schule.
