# L'activation de l'identité numérique.
activation-title = Activez votre identité numérique
activation-explained = Entrez le nom d'utilisateur et le code d'activation du message que vous avez reçu.
activation-code = Code d'activation
activation-code-hint = Avec ou sans tirets, majuscules ou minuscules
activation-wrong = Ce nom d'utilisateur et ce code ne vont pas ensemble
activation-wrong-cure = Recopiez-les tels qu'ils figurent dans le message d'activation. Si vous en avez reçu plusieurs, prenez le plus récent.
activation-expired = Ce code n'est plus valable depuis le { $day }
activation-expired-cure = Demandez un nouveau code au secrétariat de votre école.
activation-used = Ce code a déjà servi
activation-used-cure = Votre identité numérique est déjà active. Si ce n'était pas vous, prévenez tout de suite votre école.
activation-wait = Trop d'essais : attendez { $wait }
activation-wait-cure = Préparez votre message d'activation, puis essayez à nouveau.
activation-no-code = Pas de code d'activation ?
activation-no-code-text = Il vous est envoyé par courriel ou remis sur papier quand votre école crée votre compte. Regardez aussi dans le courrier indésirable, ou demandez au secrétariat.
data-title = Est-ce bien vous ?
data-explained = Voici ce que votre école a enregistré.
data-first-name = Prénom
data-last-name = Nom
data-mail = Adresse électronique
data-school = École
data-submit = Oui, c'est moi
data-wrong = Une donnée est fausse ?
data-wrong-text = Continuez tout de même, et signalez l'erreur au secrétariat de votre école : il la corrigera sans que vous deviez recommencer.
data-not-me = Ce n'est pas moi
data-not-me-text = Fermez cette page et prévenez le secrétariat : ce message ne vous était pas destiné.
password-title = Choisissez votre mot de passe
password-explained = Plusieurs mots que vous seul associez se retiennent mieux qu'un mot compliqué. Votre navigateur peut aussi vous proposer un mot de passe et le retenir.
password-new = Nouveau mot de passe
password-again = Le même, encore une fois
password-show = Afficher
password-hide = Masquer
password-rules = Votre mot de passe
rule-length = a de { $least } à { $most } caractères
rule-classes = { $n ->
    [one] contient des lettres majuscules ou minuscules, des chiffres ou des signes
   *[other] mélange au moins { $n } de ces 4 sortes : majuscules, minuscules, chiffres, signes
}
rule-no-names = ne contient ni votre prénom ni votre nom
rule-not-code = n'est pas votre code d'activation
rule-no-words = ne contient pas de nom de service ou de lieu, comme celui du canton
rule-not-common = n'est pas un mot de passe très répandu
rule-history = { $n ->
    [one] n'est pas votre mot de passe précédent
   *[other] n'est aucun de vos { $n } derniers mots de passe
}
rule-kept = respecté
rule-broken = à corriger
password-refused = Ce mot de passe ne convient pas encore
password-not-the-same = Les deux mots de passe ne sont pas identiques.
password-short = Il est trop court : il faut au moins { $n } caractères.
password-long = Il est trop long : { $n } caractères au plus.
password-classes = Il mélange trop peu de sortes de caractères : il en faut { $n } parmi majuscules, minuscules, chiffres et signes.
password-is-code = C'est votre code d'activation, que d'autres ont pu lire.
password-has-name = Il contient votre prénom ou votre nom.
password-has-word = Il contient un nom de service ou de lieu, facile à deviner.
password-common = Il est parmi les plus répandus : ce sont les premiers que l'on essaie.
password-used-before = { $n ->
    [one] C'est votre mot de passe précédent.
   *[other] C'est l'un de vos { $n } derniers mots de passe.
}
phone-method-title = Votre téléphone et votre méthode
phone-method-explained = Hors de l'école, un code s'ajoute à votre mot de passe. Choisissez comment vous le recevrez.
phone-method-refused = Il manque quelque chose
phone = Numéro de téléphone mobile
phone-hint = Par exemple 079 123 45 67. Nécessaire pour l'application et le SMS : le premier code y sera envoyé.
phone-missing = Entrez votre numéro de téléphone mobile.
phone-country = Nous ne pouvons pas envoyer de SMS dans ce pays. Entrez un numéro de Suisse ou d'un pays voisin.
phone-not-mobile = Ce numéro ne reçoit pas de SMS. Entrez un numéro de mobile, comme 079 123 45 67.
phone-unreadable = Nous ne comprenons pas ce numéro. Entrez-le comme 079 123 45 67 ou +41 79 123 45 67.
method = Méthode d'authentification forte
method-missing = Choisissez une méthode.
method-app = Application d'authentification
method-app-text = Votre smartphone affiche un code, même sans réseau.
method-app-risk = À refaire quand vous changez de smartphone.
method-sms = SMS
method-sms-text = Un code vous est envoyé à chaque connexion. Rien à installer.
method-sms-risk = Moins sûr qu'une application ou un Token : un SMS peut être détourné ou tarder.
method-token = Token
method-token-text = Un petit appareil affiche le code. Aucun smartphone n'est nécessaire.
method-token-risk = Il faut déjà l'avoir reçu et le garder sur soi.
activation-token-title = Votre Token
activation-token-explained = Prenez votre Token : nous vérifions une fois que c'est bien le vôtre.
token-serial-label = Numéro de série
token-serial-hint = Au dos du Token
activation-token-wrong = Ce numéro et ce code ne vont pas ensemble
activation-token-wrong-cure = Vérifiez le numéro au dos, attendez que l'affichage change et entrez le nouveau code.
done-title = Votre identité numérique est active
done-username = Votre nom d'utilisateur
done-next = Et maintenant ?
done-go = Ouvrir { $application }
done-click = Ouvrez « { $application } » et cliquez sur « Se connecter ».
done-app = Lors de votre première connexion hors de l'école, un code vous sera envoyé par SMS, puis nous vous guiderons pour installer l'application.
done-sms = Lors de votre première connexion hors de l'école, un code vous sera envoyé par SMS. Ensuite, tout sera prêt.
done-token = Il n'y a rien d'autre à configurer. Hors de l'école, le code de votre Token vous sera demandé.
done-outside = Faites-le depuis la maison ou par le réseau mobile : à l'école, la configuration n'est pas possible.
