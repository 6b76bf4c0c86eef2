# Les codes de secours, pour le jour où le téléphone ou le Token est perdu.
recovery-title = Codes de secours
recovery-what = Un code de secours remplace une seule fois votre téléphone ou votre Token, si vous ne l'avez plus. Gardez les codes sur papier, à la maison, séparément du téléphone.
recovery-none = Vous n'avez pas de codes de secours.
recovery-left = { $left ->
    [0] Il ne vous reste aucun code. Les derniers ont été créés le { $when }.
    [one] Il vous reste un code, créé le { $when }.
   *[other] Il vous reste { $left } codes, créés le { $when }.
}
recovery-make = Créer des codes de secours
recovery-make-new = Créer de nouveaux codes
recovery-voids = Les nouveaux codes remplacent les anciens, qui ne seront plus valables.
recovery-prove-first = Nous vous demanderons d'abord votre mot de passe et votre code, même si vous êtes déjà connecté.
recovery-not-enrolled = Configurez d'abord votre authentification forte : connectez-vous une fois depuis la maison ou par le réseau mobile.
recovery-not-here = Vous êtes sur le réseau « { $zone } ». Créez vos codes à la maison ou par le réseau mobile, à l'abri des regards.
recovery-not-with-a-code = Vous êtes entré avec un code de secours. Connectez-vous avec votre téléphone ou votre Token pour en créer de nouveaux.
recovery-open = Gérer les codes
recovery-back = Revenir à votre compte
recovery-made-title = Vos codes de secours
recovery-made-when = Pour { $username }, créés le { $when }.
recovery-made-once = Cette page ne s'affiche qu'une fois.
recovery-made-keep = Imprimez-la ou recopiez les codes sur papier, et gardez-les à la maison.
recovery-made-use = Sans téléphone ni Token : connectez-vous, choisissez « Je n'ai plus mon téléphone » ou « Je n'ai plus mon Token », puis entrez un de ces codes. Chacun ne sert qu'une fois. Ne les donnez à personne : l'école ne vous les demandera jamais.
recovery-made-done = Je les ai notés
recovery-lost-phone = Je n'ai plus mon téléphone
recovery-lost-token = Je n'ai plus mon Token
recovery-code-title = Entrez un code de secours
recovery-code-explained = Prenez un code de la feuille que vous avez gardée, et qui n'a pas encore servi. Biffez-le ensuite.
recovery-code-label = Code de secours
recovery-code-hint = 15 lettres et chiffres. Majuscules, espaces et tirets sont sans importance.
recovery-code-without = Vous n'avez pas de codes de secours ?
recovery-code-back = Revenir au code habituel
recovery-malformed = Il manque des lettres, ou il y en a trop
recovery-malformed-cure = Un code de secours a 15 lettres et chiffres. Cet essai ne compte pas.
recovery-wrong = Ce n'est pas un de vos codes de secours
recovery-wrong-cure = Prenez la feuille la plus récente : de nouveaux codes remplacent les anciens.
recovery-replayed-cure = Chaque code sert une fois. Prenez-en un autre sur la feuille.
replacement-title = Le code est juste
replacement-left = { $left ->
    [0] C'était le dernier : créez de nouveaux codes dès que vous aurez votre téléphone.
    [one] Il vous reste un code de secours.
   *[other] Il vous reste { $left } codes de secours.
}
replacement-app = Votre téléphone est perdu, volé ou nouveau ? Installez l'application sur le nouveau téléphone : elle remplacera l'ancienne, et vos autres connexions seront fermées.
replacement-sms = Votre téléphone ou votre numéro est perdu ? Installez une application sur un autre téléphone : elle remplacera le SMS, et vos autres connexions seront fermées.
replacement-token = Votre Token est perdu ou en panne ? Installez une application sur votre téléphone : elle remplacera le Token, et vos autres connexions seront fermées.
replacement-replace = Installer l'application
replacement-not-here = L'application ne s'installe pas sur le réseau de l'école. Faites-le à la maison ou par le réseau mobile, avec un autre code de secours.
replacement-keep-text = Seulement oublié ? Rien ne change : la prochaine fois, vous vous connecterez comme d'habitude.
replacement-keep = Continuer sans rien changer
