# Was alle Seiten umgibt.
language = Sprache
title-error = Fehler – { $title }
step = Schritt { $at } von { $of }
help = Brauchen Sie Hilfe?
software = Läuft mit Furka
signed-in-as = Anmeldung von { $username }
not-me = Das sind nicht Sie?
submit = Absenden
continue = Weiter
start-again = Neu beginnen
back-to = Zurück zu { $application }
support-code = Hilfecode
support-code-hint = Geben Sie diesen Code der Person, die Ihnen hilft: Sie sieht damit, was geschehen ist.
day-and-clock = { $day } um { $clock }
span-seconds = { $n ->
    [one] { $n } Sekunde
   *[other] { $n } Sekunden
}
span-minutes = { $n ->
    [one] { $n } Minute
   *[other] { $n } Minuten
}
span-hours = { $n ->
    [one] { $n } Stunde
   *[other] { $n } Stunden
}
tries-left = { $n ->
    [0] Sie haben keinen Versuch mehr.
    [one] Sie haben noch einen Versuch.
   *[other] Sie haben noch { $n } Versuche.
}
home-title = Ihre digitale Identität
home-text = Ein Benutzername und ein Passwort für alle digitalen Dienste der Schule.
home-go = { $application } öffnen
home-activate = Digitale Identität aktivieren
home-activate-text = Sie haben einen Aktivierungscode erhalten? Beginnen Sie hier.
home-account = Ihr Konto
home-account-text = Ihre offenen Anmeldungen und Ihre starke Authentifizierung.
not-found-title = Diese Seite gibt es nicht
not-found-text = Vielleicht ist die Adresse unvollständig, oder die Seite wurde verschoben. Gehen Sie zurück zur Anwendung, die Sie öffnen wollten, und klicken Sie auf «Anmelden».
not-found-home = Startseite
overloaded-title = Einen Augenblick, bitte
overloaded-text = Im Moment melden sich viele Leute an. Sie haben nichts verloren und müssen nichts wiederholen.
overloaded-outage = Der Dienst braucht einige Sekunden. Sie haben nichts verloren und müssen nichts wiederholen.
overloaded-wait = Diese Seite versucht es in { $wait } von selbst noch einmal.
overloaded-now = Jetzt noch einmal versuchen
overloaded-sent = Der Dienst braucht einige Sekunden. Ob Ihre Eingabe angekommen ist, ist nicht sicher: Die nächste Seite zeigt, wo Sie stehen.
overloaded-sent-now = Jetzt öffnen
overloaded-sent-wait = Die Seite öffnet sich in { $wait } von selbst.
