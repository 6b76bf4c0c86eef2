# Ce qui entoure toutes les pages.
language = Langue
title-error = Erreur – { $title }
step = Étape { $at } sur { $of }
help = Besoin d'aide ?
software = Propulsé par Furka
signed-in-as = Connexion de { $username }
not-me = Ce n'est pas vous ?
# [Guide 3.5]
submit = Soumettre
continue = Continuer
start-again = Recommencer
back-to = Retour vers { $application }
support-code = Code d'assistance
support-code-hint = Donnez ce code à la personne qui vous aide : elle verra ce qui s'est passé.
day-and-clock = { $day } à { $clock }
span-seconds = { $n ->
    [one] { $n } seconde
   *[other] { $n } secondes
}
span-minutes = { $n ->
    [one] { $n } minute
   *[other] { $n } minutes
}
span-hours = { $n ->
    [one] { $n } heure
   *[other] { $n } heures
}
tries-left = { $n ->
    [0] Il ne vous reste aucun essai.
    [one] Il vous reste un essai.
   *[other] Il vous reste { $n } essais.
}
home-title = Votre identité numérique
home-text = Un seul nom d'utilisateur et un seul mot de passe pour tous les services numériques de l'école.
home-go = Ouvrir { $application }
home-activate = Activer votre identité numérique
home-activate-text = Vous avez reçu un code d'activation ? Commencez ici.
home-account = Votre compte
home-account-text = Vos connexions ouvertes et votre méthode d'authentification forte.
not-found-title = Cette page n'existe pas
not-found-text = L'adresse est peut-être incomplète, ou la page a été déplacée. Retournez à l'application que vous vouliez ouvrir et cliquez sur « Se connecter ».
not-found-home = Page d'accueil
overloaded-title = Un instant, s'il vous plaît
overloaded-text = Beaucoup de personnes se connectent en ce moment. Vous n'avez rien perdu et rien à refaire.
overloaded-outage = Le service a besoin de quelques secondes. Vous n'avez rien perdu et rien à refaire.
overloaded-wait = Cette page réessaie toute seule dans { $wait }.
overloaded-now = Réessayer maintenant
overloaded-sent = Le service a besoin de quelques secondes. Votre envoi n'est peut-être pas arrivé : la page suivante montre où vous en êtes.
overloaded-sent-now = L'ouvrir maintenant
overloaded-sent-wait = La page s'ouvre toute seule dans { $wait }.
