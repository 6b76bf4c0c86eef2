# Le deuxième facteur : guide, chapitres 3 et 4.
code-malformed = Il nous faut un code à 6 chiffres
code-malformed-cure = Entrez les 6 chiffres, avec ou sans espace. Cet essai ne compte pas.
code-replayed = Ce code a déjà servi
sms-title = Entrez le code reçu par SMS
sms-explained = Un code vous a été envoyé par SMS au numéro
sms-ending = se terminant par { $digits }
# [Guide 3.4]
sms-label = Code reçu par SMS
sms-hint = 6 chiffres, valable { $n } minutes
sms-on-its-way = Le message est en route.
sms-sent = Le message est parti à { $clock }.
sms-delivered = Le message est arrivé sur votre smartphone à { $clock }.
sms-sent-again = Le message est reparti à { $clock }, avec le même code.
sms-trouble = L'opérateur n'accepte pas le message pour l'instant. Nous réessayons ; vous n'avez rien à faire.
sms-wrong = Ce n'est pas le bon code
sms-wrong-cure = Prenez le code du message le plus récent.
sms-expired = Ce code n'est plus valable
sms-missing = Vous ne recevez rien ?
sms-missing-signal = Vérifiez que votre smartphone a du réseau et n'est pas en mode avion.
sms-missing-place = Dans un bâtiment aux murs épais, approchez-vous d'une fenêtre.
sms-missing-number = Ce numéro n'est plus le vôtre ? Adressez-vous au responsable informatique de votre école.
sms-resend = Renvoyer le code
sms-resend-same = Un message déjà reçu reste valable.
sms-resend-wait = Vous pourrez le faire renvoyer dans { $wait }.
sms-resend-none = Ce code ne peut plus être renvoyé. Recommencez la connexion un peu plus tard, ou demandez de l'aide.
# [Guide 4.1]
app-title = Installez l'application d'authentification
app-explained = L'application vous donnera vos codes à l'avenir : vous n'aurez plus besoin du SMS.
# [Guide 4.3]
app-install = Installez Microsoft Authenticator (TOTP) sur votre smartphone.
app-store = App Store (iOS)
app-play = Google Play (Android)
app-any = Toute autre application d'authentification TOTP convient aussi.
# [Guide 4.5]
app-account = Passez le tutoriel. Cliquez sur « Ajouter un compte ». Ajoutez un compte de type « Autre… ».
# [Guide 4.4]
app-camera = Si l'application le demande, autorisez-la à accéder à la caméra.
app-telemetry = L'application collecte d'office des données non personnelles ; cela peut être désactivé dans ses paramètres.
# [Guide 4.7]
app-scan = Ouvrez l'application et scannez le code QR affiché à l'écran.
app-qr = Code QR à scanner avec l'application d'authentification
app-on-phone = Vous lisez cette page sur le smartphone ?
app-open = Ouvrir dans l'application
app-by-hand = Impossible de scanner ?
app-by-hand-text = Dans l'application, choisissez la saisie manuelle et tapez cette clé :
# [Guide 4.8]
app-enter = Entrez le code à usage unique fourni par l'application et cliquez sur « Soumettre » pour terminer.
app-label = Code de l'application
app-hint = 6 chiffres, sans espace
# [Guide 4.10]
app-time = L'heure du smartphone doit être juste : choisissez le réglage automatique.
app-code-title = Entrez le code de votre application
app-code-explained = Ouvrez l'application d'authentification sur votre smartphone et entrez le code qu'elle affiche.
app-code-change = Le code change toutes les 30 secondes.
app-lost = Vous n'avez pas votre smartphone, ou il est nouveau ?
app-lost-text = Adressez-vous au responsable informatique de votre école. Après avoir vérifié votre identité, il pourra vous aider aujourd'hui et préparer votre nouvel appareil.
app-wrong = Ce n'est pas le bon code
app-wrong-cure = Entrez le code affiché en ce moment, pour le bon compte. S'il est sur le point de changer, attendez le suivant.
app-wrong-enrolling-cure = Vérifiez trois choses : le compte est du type « Autre… » ; le code est celui du compte que vous venez d'ajouter ; l'heure du smartphone est réglée automatiquement.
app-replayed-cure = Un code ne sert qu'une fois. Attendez que l'application affiche le suivant, 30 secondes au plus.
app-clock-slow = { $minutes ->
    [one] L'heure de votre smartphone retarde d'environ une minute
   *[other] L'heure de votre smartphone retarde d'environ { $minutes } minutes
}
app-clock-fast = { $minutes ->
    [one] L'heure de votre smartphone avance d'environ une minute
   *[other] L'heure de votre smartphone avance d'environ { $minutes } minutes
}
app-clock-cure = Le code est donc celui d'un autre moment. Dans les réglages du smartphone, choisissez la date et l'heure automatiques, puis entrez le code suivant.
token-title = Entrez le code de votre Token
token-explained = Appuyez sur le bouton de votre Token et entrez le code affiché.
token-serial = Numéro de série se terminant par { $digits }
token-label = Code du Token
token-hint = Tous les chiffres de l'écran, sans espace
token-wrong = Ce n'est pas un code de votre Token
token-wrong-cure = Attendez que l'affichage change et entrez le nouveau code.
token-replayed-cure = Un code ne sert qu'une fois. Attendez que le Token en affiche un autre.
token-malformed = Il manque des chiffres, ou il y en a trop
token-malformed-cure = Entrez tous les chiffres affichés, avec ou sans espace. Cet essai ne compte pas.
token-lost = Le code est toujours refusé ?
token-lost-text = Un Token resté longtemps sans servir peut se dérégler. Deux codes de suite suffisent pour le retrouver.
token-resync = Entrer deux codes de suite
token-resync-title = Entrez deux codes de suite
token-resync-explained = Entrez le code affiché, attendez que l'affichage change, puis entrez le code suivant.
token-first = Premier code
token-next = Code suivant
token-not-in-a-row = Ces deux codes ne se suivent pas
token-not-in-a-row-cure = Attendez un nouveau code, entrez-le, puis entrez celui qui vient juste après.
token-not-here = Le Token est perdu ou sa pile est vide ? Adressez-vous au responsable informatique de votre école.
elsewhere-title = Continuez hors du réseau de l'école
elsewhere-cause = Vous êtes sur le réseau « { $zone } ».
elsewhere-why = La configuration de l'authentification forte n'est possible qu'hors du réseau de l'État et des établissements cantonaux. Ainsi, personne ne peut la faire à votre place sur un ordinateur de l'école.
elsewhere-now = Tout de suite, avec votre smartphone
elsewhere-now-text = Désactivez le Wi-Fi, puis scannez ce code avec l'appareil photo : vous continuerez par le réseau mobile.
elsewhere-qr = Code QR du lien pour continuer
elsewhere-later = Plus tard, depuis la maison
elsewhere-later-text = Ouvrez cette adresse :
elsewhere-until = Ce lien est personnel. Il sert une seule fois, jusqu'au { $when }.
sms-new-code-cure = Demandez un nouveau code ci-dessous.
sms-start-again-cure = Recommencez la connexion un peu plus tard pour en recevoir un nouveau.
sms-send-new = Envoyer un nouveau code
elsewhere-mailed = Nous vous l'avons aussi envoyée par courriel.
