# Die Notfallcodes, für den Tag, an dem Telefon oder Token verloren ist.
recovery-title = Notfallcodes
recovery-what = Ein Notfallcode ersetzt einmalig Ihr Telefon oder Ihren Token, wenn Sie das Gerät nicht mehr haben. Bewahren Sie die Codes auf Papier zu Hause auf, getrennt vom Telefon.
recovery-none = Sie haben keine Notfallcodes.
recovery-left = { $left ->
    [0] Sie haben keinen Code mehr. Die letzten wurden am { $when } erstellt.
    [one] Sie haben noch einen Code, erstellt am { $when }.
   *[other] Sie haben noch { $left } Codes, erstellt am { $when }.
}
recovery-make = Notfallcodes erstellen
recovery-make-new = Neue Codes erstellen
recovery-voids = Die neuen Codes ersetzen die alten, die dann nicht mehr gelten.
recovery-prove-first = Wir fragen Sie zuerst nach Passwort und Code, auch wenn Sie schon angemeldet sind.
recovery-not-enrolled = Richten Sie zuerst die starke Authentifizierung ein: Melden Sie sich einmal von zu Hause aus oder über das Mobilfunknetz an.
recovery-not-here = Sie sind im Netz «{ $zone }». Erstellen Sie Ihre Notfallcodes zu Hause oder über das Mobilfunknetz, wo niemand mitliest.
recovery-not-with-a-code = Sie haben sich mit einem Notfallcode angemeldet. Melden Sie sich mit Telefon oder Token an, um neue zu erstellen.
recovery-open = Codes verwalten
recovery-back = Zurück zu Ihrem Konto
recovery-made-title = Ihre Notfallcodes
recovery-made-when = Für { $username }, erstellt am { $when }.
recovery-made-once = Diese Seite erscheint nur einmal.
recovery-made-keep = Drucken Sie sie aus oder schreiben Sie die Codes auf Papier, und bewahren Sie sie zu Hause auf.
recovery-made-use = Ohne Telefon und Token: Melden Sie sich an, wählen Sie «Ich habe mein Telefon nicht mehr» oder «Ich habe meinen Token nicht mehr» und geben Sie einen dieser Codes ein. Jeder gilt einmal. Geben Sie sie niemandem; die Schule fragt nie danach.
recovery-made-done = Ich habe sie notiert
recovery-lost-phone = Ich habe mein Telefon nicht mehr
recovery-lost-token = Ich habe meinen Token nicht mehr
recovery-code-title = Geben Sie einen Notfallcode ein
recovery-code-explained = Nehmen Sie vom Blatt, das Sie aufbewahrt haben, einen Code, der noch nicht verwendet wurde. Streichen Sie ihn danach durch.
recovery-code-label = Notfallcode
recovery-code-hint = 15 Buchstaben und Ziffern. Grossschreibung, Leerschläge und Striche sind egal.
recovery-code-without = Sie haben keine Notfallcodes?
recovery-code-back = Zurück zum üblichen Code
recovery-malformed = Es fehlen Buchstaben, oder es sind zu viele
recovery-malformed-cure = Ein Notfallcode hat 15 Buchstaben und Ziffern. Dieser Versuch zählt nicht.
recovery-wrong = Das ist keiner Ihrer Notfallcodes
recovery-wrong-cure = Nehmen Sie das neuste Blatt: Neue Codes ersetzen die alten.
recovery-replayed-cure = Jeder Code gilt einmal. Nehmen Sie einen anderen vom Blatt.
replacement-title = Der Code ist richtig
replacement-left = { $left ->
    [0] Das war der letzte: Erstellen Sie neue Codes, sobald Sie Ihr Telefon haben.
    [one] Sie haben noch einen Notfallcode.
   *[other] Sie haben noch { $left } Notfallcodes.
}
replacement-app = Ihr Telefon ist verloren, gestohlen oder neu? Installieren Sie die App auf dem neuen Telefon: Sie ersetzt die alte, und Ihre anderen Anmeldungen werden beendet.
replacement-sms = Ihr Telefon oder Ihre Nummer ist verloren? Installieren Sie eine App auf einem anderen Telefon: Sie ersetzt die SMS, und Ihre anderen Anmeldungen werden beendet.
replacement-token = Ihr Token ist verloren oder defekt? Installieren Sie eine App auf Ihrem Telefon: Sie ersetzt den Token, und Ihre anderen Anmeldungen werden beendet.
replacement-replace = App installieren
replacement-not-here = Im Netz der Schule wird keine App eingerichtet. Richten Sie sie zu Hause oder über das Mobilfunknetz ein, mit einem anderen Notfallcode.
replacement-keep-text = Nur vergessen? Dann ändert sich nichts: Das nächste Mal melden Sie sich wieder wie gewohnt an.
replacement-keep = Weiter, ohne etwas zu ändern
