# La page de connexion : guide, chapitre 2.
sign-in-title = Connexion
sign-in-to = Pour continuer vers « { $application } », entrez le nom d'utilisateur et le mot de passe créés lors de l'activation de votre identité numérique.
sign-in-own = Entrez le nom d'utilisateur et le mot de passe créés lors de l'activation de votre identité numérique.
sign-in-resumed = Connectez-vous encore une fois : la configuration de votre authentification forte reprendra là où vous l'avez laissée.
sign-in-place = Vous êtes sur le réseau « { $place } ». Si cet ordinateur est partagé, déconnectez-vous à la fin.
username = Nom d'utilisateur
password = Mot de passe
# [Guide 2.4]
sign-in-submit = Connexion
sign-in-wrong = Ce nom d'utilisateur et ce mot de passe ne vont pas ensemble
sign-in-wrong-cure = Vérifiez les deux champs. Attention aux majuscules et au clavier : le z et le y changent de place d'un pays à l'autre.
sign-in-wait = Trop d'essais : attendez { $wait }
sign-in-wait-cure = Ensuite, essayez encore une fois. Un essai fait avant ce délai ne compte pas.
sign-in-expired = Cette page est restée ouverte trop longtemps
sign-in-expired-cure = Rien n'est perdu : entrez à nouveau votre nom d'utilisateur et votre mot de passe.
sign-in-busy = Beaucoup de personnes se connectent : réessayez dans { $wait }
sign-in-busy-cure = Votre mot de passe n'a pas encore été vérifié. Cet essai ne compte pas.
sign-in-first-time = Première visite ?
sign-in-activate = Activer votre identité numérique
sign-in-forgotten = Mot de passe ou nom d'utilisateur oublié ?
sign-in-forgotten-text = Votre nom d'utilisateur figure dans le message d'activation ; votre ancien identifiant ISM convient aussi. Pour un nouveau mot de passe, adressez-vous au responsable informatique de votre école.

proceed-confirm = Ouvrir « { $application } » ?
proceed-confirm-text = Cette application tourne sur votre appareil. Continuez seulement si c'est vous qui venez de l'ouvrir.
proceed-resume = Continuer la configuration
proceed-resume-text = Vous avez commencé à configurer votre authentification forte depuis l'école. Continuez ici : nous enverrons un code SMS à votre numéro.
proceed-resume-inside = Vous êtes encore sur le réseau « { $zone } ». Passez sur le réseau mobile ou attendez d'être à la maison, puis rouvrez ce lien. Il n'est pas perdu.
proceed-step-up = Confirmez que c'est bien vous
proceed-step-up-inside = Vous êtes déjà connecté. Cette application demande en plus votre deuxième facteur.
proceed-step-up-outside = Vous vous êtes connecté à l'école avec votre mot de passe seul. Hors de l'école, il faut aussi votre deuxième facteur.
proceed-step-up-own = Vous allez changer ce qui protège votre compte. Confirmez d'abord avec votre deuxième facteur.
proceed-submit = Continuer
