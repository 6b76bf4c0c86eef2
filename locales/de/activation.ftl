# Die Aktivierung der digitalen Identität.
activation-title = Aktivieren Sie Ihre digitale Identität
activation-explained = Geben Sie den Benutzernamen und den Aktivierungscode aus der Nachricht ein, die Sie erhalten haben.
activation-code = Aktivierungscode
activation-code-hint = Mit oder ohne Bindestriche, gross oder klein
activation-wrong = Dieser Benutzername und dieser Code gehören nicht zusammen
activation-wrong-cure = Übernehmen Sie beide genau aus der Aktivierungsnachricht. Haben Sie mehrere erhalten, so gilt die neuste.
activation-expired = Dieser Code ist seit dem { $day } nicht mehr gültig
activation-expired-cure = Verlangen Sie beim Sekretariat Ihrer Schule einen neuen Code.
activation-used = Dieser Code wurde schon verwendet
activation-used-cure = Ihre digitale Identität ist bereits aktiv. Waren nicht Sie das, so melden Sie es sofort Ihrer Schule.
activation-wait = Zu viele Versuche: Warten Sie bitte { $wait }
activation-wait-cure = Legen Sie Ihre Aktivierungsnachricht bereit und versuchen Sie es dann noch einmal.
activation-no-code = Kein Aktivierungscode?
activation-no-code-text = Sie erhalten ihn per E-Mail oder auf Papier, wenn Ihre Schule Ihr Konto erstellt. Schauen Sie auch im Spam-Ordner nach, oder fragen Sie das Sekretariat.
data-title = Sind das Sie?
data-explained = Das hat Ihre Schule über Sie eingetragen.
data-first-name = Vorname
data-last-name = Nachname
data-mail = E-Mail-Adresse
data-school = Schule
data-submit = Ja, das bin ich
data-wrong = Stimmt etwas nicht?
data-wrong-text = Machen Sie trotzdem weiter und melden Sie den Fehler dem Sekretariat Ihrer Schule: Es berichtigt ihn, ohne dass Sie neu beginnen müssen.
data-not-me = Das bin ich nicht
data-not-me-text = Schliessen Sie diese Seite und melden Sie es dem Sekretariat: Die Nachricht war nicht für Sie bestimmt.
password-title = Wählen Sie Ihr Passwort
password-explained = Mehrere Wörter, die nur Sie zusammenbringen, merkt man sich leichter als ein kompliziertes Wort. Auch Ihr Browser kann ein Passwort vorschlagen und behalten.
password-new = Neues Passwort
password-again = Noch einmal dasselbe
password-show = Anzeigen
password-hide = Verbergen
password-rules = Ihr Passwort
rule-length = hat { $least } bis { $most } Zeichen
rule-classes = { $n ->
    [one] enthält Gross- oder Kleinbuchstaben, Ziffern oder Zeichen
   *[other] mischt mindestens { $n } dieser 4 Arten: Grossbuchstaben, Kleinbuchstaben, Ziffern, Sonderzeichen
}
rule-no-names = enthält weder Ihren Vornamen noch Ihren Nachnamen
rule-not-code = ist nicht Ihr Aktivierungscode
rule-no-words = enthält keinen Namen eines Dienstes oder Ortes, etwa den des Kantons
rule-not-common = ist kein weit verbreitetes Passwort
rule-history = { $n ->
    [one] ist nicht Ihr voriges Passwort
   *[other] ist keines Ihrer letzten { $n } Passwörter
}
rule-kept = erfüllt
rule-broken = noch zu ändern
password-refused = Dieses Passwort passt noch nicht
password-not-the-same = Die beiden Passwörter sind nicht gleich.
password-short = Es ist zu kurz: Es braucht mindestens { $n } Zeichen.
password-long = Es ist zu lang: höchstens { $n } Zeichen.
password-classes = Es mischt zu wenige Arten von Zeichen: Es braucht { $n } von Grossbuchstaben, Kleinbuchstaben, Ziffern und Sonderzeichen.
password-is-code = Es ist Ihr Aktivierungscode, den andere gelesen haben können.
password-has-name = Es enthält Ihren Vor- oder Nachnamen.
password-has-word = Es enthält den Namen eines Dienstes oder Ortes, der leicht zu erraten ist.
password-common = Es gehört zu den verbreitetsten: Diese werden zuerst ausprobiert.
password-used-before = { $n ->
    [one] Es ist Ihr voriges Passwort.
   *[other] Es ist eines Ihrer letzten { $n } Passwörter.
}
phone-method-title = Ihr Telefon und Ihre Methode
phone-method-explained = Ausserhalb der Schule kommt zu Ihrem Passwort ein Code hinzu. Wählen Sie, wie Sie ihn erhalten.
phone-method-refused = Es fehlt noch etwas
phone = Mobiltelefonnummer
phone-hint = Zum Beispiel 079 123 45 67. Nötig für die App und für SMS: Der erste Code wird dorthin gesendet.
phone-missing = Geben Sie Ihre Mobiltelefonnummer ein.
phone-country = In dieses Land können wir keine SMS senden. Geben Sie eine Nummer aus der Schweiz oder einem Nachbarland ein.
phone-not-mobile = Diese Nummer empfängt keine SMS. Geben Sie eine Mobilnummer ein, etwa 079 123 45 67.
phone-unreadable = Diese Nummer verstehen wir nicht. Geben Sie sie ein wie 079 123 45 67 oder +41 79 123 45 67.
method = Methode der starken Authentifizierung
method-missing = Wählen Sie eine Methode.
method-app = Authentifizierungs-App
method-app-text = Ihr Smartphone zeigt einen Code an, auch ohne Empfang.
method-app-risk = Bei einem neuen Smartphone neu einzurichten.
method-sms = SMS
method-sms-text = Bei jeder Anmeldung wird Ihnen ein Code gesendet. Nichts zu installieren.
method-sms-risk = Weniger sicher als eine App oder ein Token: Eine SMS kann umgeleitet werden oder sich verspäten.
method-token = Token
method-token-text = Ein kleines Gerät zeigt den Code an. Es braucht kein Smartphone.
method-token-risk = Sie müssen ihn schon erhalten haben und bei sich tragen.
activation-token-title = Ihr Token
activation-token-explained = Nehmen Sie Ihren Token zur Hand: Wir prüfen einmal, dass es wirklich Ihrer ist.
token-serial-label = Seriennummer
token-serial-hint = Auf der Rückseite des Tokens
activation-token-wrong = Diese Nummer und dieser Code gehören nicht zusammen
activation-token-wrong-cure = Prüfen Sie die Nummer auf der Rückseite, warten Sie, bis die Anzeige wechselt, und geben Sie den neuen Code ein.
done-title = Ihre digitale Identität ist aktiv
done-username = Ihr Benutzername
done-next = Und jetzt?
done-go = { $application } öffnen
done-click = Öffnen Sie «{ $application }» und klicken Sie auf «Anmelden».
done-app = Bei Ihrer ersten Anmeldung ausserhalb der Schule wird Ihnen ein Code per SMS gesendet; danach führen wir Sie durch die Installation der App.
done-sms = Bei Ihrer ersten Anmeldung ausserhalb der Schule wird Ihnen ein Code per SMS gesendet. Dann ist alles bereit.
done-token = Es gibt nichts weiter einzurichten. Ausserhalb der Schule werden Sie nach dem Code Ihres Tokens gefragt.
done-outside = Tun Sie das von zu Hause aus oder über das Mobilfunknetz: In der Schule ist die Einrichtung nicht möglich.
