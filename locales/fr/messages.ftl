# SMS : sans ê, ç, œ ni guillemets, qui coûtent un deuxième message.
text-sms-code = Votre code de connexion est { $code }. Ne le donnez à personne.
text-sms-new-number = Votre compte de l'école utilise maintenant un autre numéro de téléphone. Si ce n'est pas vous, appelez tout de suite votre école.
text-sms-bound-app = Une application d'authentification a été liée à votre compte de l'école. Si ce n'est pas vous, appelez tout de suite votre école.
text-sms-bound-sms = Ce numéro recevra désormais les codes de votre compte de l'école. Si ce n'est pas vous, appelez tout de suite votre école.
text-sms-bound-token = Un Token a été lié à votre compte de l'école. Si ce n'est pas vous, appelez tout de suite votre école.
# Courriels.
mail-hello = Bonjour,
mail-help = Besoin d'aide ? { $support }
mail-activation-subject = Activez votre identité numérique
mail-activation =
    Votre école a créé votre identité numérique. Il vous reste à l'activer :

    1. Ouvrez { $link }
    2. Entrez ces données :

       Nom d'utilisateur : { $username }
       Code d'activation : { $code }

    Le code est valable jusqu'au { $when } et sert une seule fois. Ne le transmettez à personne.

    L'activation prend environ cinq minutes. Ayez votre téléphone mobile à portée de main.
mail-resume-subject = Continuez la configuration de votre authentification forte
mail-resume =
    Vous avez commencé depuis le réseau « { $zone } », où la configuration n'est pas possible.

    À la maison ou par le réseau mobile, ouvrez :
    { $link }

    Ce lien est personnel. Il sert une seule fois, jusqu'au { $when }.
mail-factor-bound-subject = Votre authentification forte est configurée
mail-bound-app =
    Le { $when }, une application d'authentification a été liée à votre compte.

    Si c'était vous, vous n'avez rien à faire. Sinon, prévenez tout de suite votre école.
mail-bound-sms =
    Le { $when }, votre numéro de téléphone a été confirmé : il recevra vos codes par SMS.

    Si c'était vous, vous n'avez rien à faire. Sinon, prévenez tout de suite votre école.
mail-bound-token =
    Le { $when }, un Token a été lié à votre compte.

    Si c'était vous, vous n'avez rien à faire. Sinon, prévenez tout de suite votre école.
mail-new-number-subject = Votre numéro de téléphone a changé
mail-new-number =
    Le { $when }, le numéro de téléphone de votre compte a été remplacé par { $phone }.

    Si c'était vous, vous n'avez rien à faire. Sinon, prévenez tout de suite votre école.
mail-second-factor-failed-subject = Quelqu'un connaît peut-être votre mot de passe
mail-second-factor-failed =
    Le { $when }, quelqu'un a entré votre mot de passe correctement, puis des codes erronés. La connexion a été refusée.

    Si c'était vous, vous n'avez rien à faire. Sinon, votre mot de passe n'est plus secret : prévenez votre école pour en changer.
mail-code-used-twice-subject = Un de vos codes a été utilisé deux fois
mail-code-used-twice =
    Le { $when }, un code qui avait déjà servi a été entré une deuxième fois. Il a été refusé.

    Si vous avez simplement envoyé la page deux fois, vous n'avez rien à faire. Sinon, quelqu'un a pu voir votre code : prévenez votre école.
mail-activated-subject = Votre identité numérique est active
mail-activated =
    Le { $when }, votre identité numérique a été activée.

    Si c'était vous, vous n'avez rien à faire. Sinon, prévenez tout de suite votre école.
mail-new-password-subject = Choisissez un nouveau mot de passe
mail-new-password =
    Votre école a annulé votre mot de passe et fermé toutes vos connexions. Pour en choisir un nouveau :

    1. Ouvrez { $link }
    2. Entrez ces données :

       Nom d'utilisateur : { $username }
       Code d'activation : { $code }

    Le code est valable jusqu'au { $when } et sert une seule fois. Ne le transmettez à personne.

    Vous ne l'avez pas demandé ? Prévenez tout de suite votre école.
mail-password-changed-subject = Votre mot de passe a changé
mail-password-changed =
    Le { $when }, votre mot de passe a été remplacé par un nouveau. Vos autres connexions ont été fermées.

    Si c'était vous, vous n'avez rien à faire. Sinon, prévenez tout de suite votre école.
mail-factor-reset-subject = Votre authentification forte est à refaire
mail-factor-reset =
    Le { $when }, votre école a retiré votre authentification forte et fermé toutes vos connexions.

    Vous la configurerez à nouveau lors de votre prochaine connexion hors de l'école.

    Vous ne l'avez pas demandé ? Prévenez tout de suite votre école.
mail-recovery-made-subject = De nouveaux codes de secours ont été faits
mail-recovery-made =
    Le { $when }, des codes de secours ont été faits pour votre compte. D'éventuels codes plus anciens ne valent plus rien.

    Si c'était vous, vous n'avez rien à faire. Sinon, prévenez tout de suite votre école.
mail-recovery-used-subject = Un de vos codes de secours a été utilisé
mail-recovery-used =
    Le { $when }, un code de secours a été utilisé pour se connecter avec votre compte. { $left ->
        [0] C'était le dernier.
        [one] Il vous en reste un.
       *[other] Il vous en reste { $left }.
    }

    Si c'était vous, vous n'avez rien à faire. Sinon, prévenez tout de suite votre école.
