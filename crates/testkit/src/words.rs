//! What people read on buttons, labels and in headings, as the stories say it.
//!
//! Written down a second time on purpose: a message file that loses the guide's words fails a story.

use crate::Language;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident: $french:literal, $german:literal;)*) => {
        /// The words of one language.
        #[derive(Clone, Copy, Debug)]
        pub struct Words {
            /// Which language it is.
            pub language: Language,
            $($(#[$doc])* pub $name: &'static str,)*
        }

        impl Words {
            /// The words of a language.
            #[must_use]
            pub const fn of(language: Language) -> Self {
                match language {
                    Language::French => Self { language, $($name: $french,)* },
                    Language::German => Self { language, $($name: $german,)* },
                }
            }
        }
    };
}

words! {
    // --- The portals
    /// [Guide 2.2] « Se connecter », the portal's button.
    se_connecter: "Se connecter", "Anmelden";
    /// The portal's button after something went wrong.
    sign_in_again: "Se connecter à nouveau", "Erneut anmelden";
    /// Said to who is signed in.
    hello: "Bonjour", "Guten Tag";
    /// How the portal calls a session of two factors.
    level_strong: "Authentification forte", "Starke Authentifizierung";
    /// How the portal calls a session of a password.
    level_password: "mot de passe seulement", "nur Passwort";
    /// The portal's way out.
    sign_out: "Se déconnecter", "Abmelden";
    /// After it.
    signed_out: "Vous êtes déconnecté", "Sie sind abgemeldet";

    // --- Sign-in
    /// Heading of the page that asks for name and password.
    sign_in_title: "Connexion", "Anmeldung";
    /// [Guide 2.4] « Connexion », the button.
    connexion: "Connexion", "Anmelden";
    /// Label.
    username: "Nom d'utilisateur", "Benutzername";
    /// Label.
    password: "Mot de passe", "Passwort";
    /// After a wrong name or password.
    sign_in_wrong: "Ce nom d'utilisateur et ce mot de passe ne vont pas ensemble",
        "Dieser Benutzername und dieses Passwort gehören nicht zusammen";
    /// After too many.
    sign_in_wait: "Trop d'essais : attendez", "Zu viele Versuche: Warten Sie bitte";
    /// The page lay open for too long.
    sign_in_expired: "Cette page est restée ouverte trop longtemps", "Diese Seite war zu lange offen";
    /// Which network was recognised.
    on_network: "Vous êtes sur le réseau «", "Sie sind im Netz «";

    // --- The code by SMS
    /// Heading.
    sms_title: "Entrez le code reçu par SMS", "Geben Sie den Code aus der SMS ein";
    /// Label.
    sms_code: "Code reçu par SMS", "Code aus der SMS";
    /// [Guide 3.5] « Soumettre », the button.
    soumettre: "Soumettre", "Absenden";
    /// After a wrong code.
    code_wrong: "Ce n'est pas le bon code", "Das ist nicht der richtige Code";
    /// After a code that was used before.
    code_replayed: "Ce code a déjà servi", "Dieser Code wurde schon verwendet";
    /// What counts as a code.
    six_digits_please: "Il nous faut un code à 6 chiffres", "Wir brauchen einen Code mit 6 Ziffern";
    /// After its time.
    sms_expired: "Ce code n'est plus valable", "Dieser Code ist nicht mehr gültig";
    /// The gateway does not take the message.
    sms_trouble: "L'opérateur n'accepte pas le message pour l'instant",
        "Der Mobilfunkanbieter nimmt die Nachricht im Moment nicht an";
    /// The gateway took it.
    sms_sent: "Le message est parti à", "Die Nachricht wurde um";
    /// Button.
    resend: "Renvoyer le code", "Code noch einmal senden";
    /// The same button once the code is old.
    new_code: "Envoyer un nouveau code", "Einen neuen Code senden";
    /// Before one may.
    resend_wait: "Vous pourrez le faire renvoyer dans", "Sie können ihn in";
    /// The link for somebody else at the same computer.
    not_me: "Ce n'est pas vous ?", "Das sind nicht Sie?";

    // --- The app
    /// Heading of the enrolment.
    app_title: "Installez l'application d'authentification",
        "Installieren Sie die Authentifizierungs-App";
    /// [Guide 4.3] the first numbered step.
    app_install: "Installez Microsoft Authenticator (TOTP) sur votre smartphone.",
        "Installieren Sie Microsoft Authenticator (TOTP) auf Ihrem Smartphone.";
    /// [Guide 4.1] the stores.
    app_store: "App Store (iOS)", "App Store (iOS)";
    /// [Guide 4.1] the stores.
    google_play: "Google Play (Android)", "Google Play (Android)";
    /// [Guide 4.4] the camera.
    app_camera: "autorisez-la à accéder à la caméra", "erlauben Sie ihr den Zugriff auf die Kamera";
    /// [Guide 4.5] the kind of account.
    app_account: "Ajoutez un compte de type « Autre… »", "Wählen Sie den Kontotyp «Andere…»";
    /// [Guide 4.6] what the app collects.
    app_telemetry: "données non personnelles", "nicht personenbezogene Daten";
    /// [Guide 4.7] the second numbered step.
    app_scan: "Ouvrez l'application et scannez le code QR affiché à l'écran.",
        "Öffnen Sie die App und scannen Sie den QR-Code auf dem Bildschirm.";
    /// For those who read the page on the phone.
    app_open: "Ouvrir dans l'application", "In der App öffnen";
    /// For those who cannot scan.
    app_by_hand: "Impossible de scanner ?", "Das Scannen geht nicht?";
    /// [Guide 4.8] the third numbered step.
    app_enter: "Entrez le code à usage unique fourni par l'application",
        "Geben Sie den Einmalcode aus der App ein";
    /// [Guide 4.10] the clock.
    app_time: "L'heure du smartphone doit être juste", "Die Uhr des Smartphones muss richtig gehen";
    /// Label.
    app_code: "Code de l'application", "Code aus der App";
    /// Heading from the second time on.
    app_code_title: "Entrez le code de votre application", "Geben Sie den Code aus Ihrer App ein";
    /// The phone's clock is four minutes slow.
    clock_slow_4: "retarde d'environ 4 minutes", "geht etwa 4 Minuten nach";
    /// The phone's clock is four minutes fast.
    clock_fast_4: "avance d'environ 4 minutes", "geht etwa 4 Minuten vor";
    /// What to do about it.
    clock_cure: "choisissez la date et l'heure automatiques", "Datum und Uhrzeit automatisch";

    // --- The Token
    /// Heading.
    token_title: "Entrez le code de votre Token", "Geben Sie den Code Ihres Tokens ein";
    /// Label.
    token_code: "Code du Token", "Code des Tokens";
    /// After a code that is none of the token's.
    token_wrong: "Ce n'est pas un code de votre Token", "Das ist kein Code Ihres Tokens";
    /// Button.
    token_resync: "Entrer deux codes de suite", "Zwei Codes hintereinander eingeben";
    /// Label.
    token_first: "Premier code", "Erster Code";
    /// Label.
    token_next: "Code suivant", "Nächster Code";

    // --- Elsewhere
    /// Heading of the refusal to enrol inside.
    elsewhere_title: "Continuez hors du réseau de l'école",
        "Machen Sie ausserhalb des Schulnetzes weiter";
    /// Its reason.
    elsewhere_why: "n'est possible qu'hors du réseau de l'État et des établissements cantonaux",
        "kann nur ausserhalb des Netzes des Staates und der kantonalen Schulen eingerichtet werden";

    /// Heading of the page that the link opens.
    resume_title: "Continuer la configuration", "Einrichtung fortsetzen";
    /// On the same page, opened at school again.
    still_inside: "Vous êtes encore sur le réseau «", "Sie sind noch im Netz «";
    /// Heading of the page that a session sees which is not enough.
    step_up_title: "Confirmez que c'est bien vous", "Bestätigen Sie, dass Sie es sind";

    // --- Refusals
    /// Heading.
    too_late: "Trop de temps a passé", "Es ist zu viel Zeit vergangen";
    /// Heading.
    too_many_tries: "Trop d'essais", "Zu viele Versuche";
    /// Heading.
    too_many_messages: "Trop de SMS pour l'instant", "Im Moment zu viele SMS";
    /// Heading.
    no_binding: "Il manque encore une étape", "Ein Schritt fehlt noch";
    /// Heading.
    other_browser: "Cette page appartient à un autre navigateur",
        "Diese Seite gehört zu einem anderen Browser";
    /// Heading.
    resume_used: "Ce lien a déjà servi", "Dieser Link wurde schon verwendet";
    /// Heading.
    resume_expired: "Ce lien n'est plus valable", "Dieser Link ist nicht mehr gültig";
    /// What the help desk asks for.
    support_code: "Code d'assistance", "Hilfecode";
    /// Button.
    start_again: "Recommencer", "Neu beginnen";

    // --- Activation
    /// Heading.
    activation_title: "Activez votre identité numérique", "Aktivieren Sie Ihre digitale Identität";
    /// Label.
    activation_code: "Code d'activation", "Aktivierungscode";
    /// Button.
    next: "Continuer", "Weiter";
    /// Heading.
    data_title: "Est-ce bien vous ?", "Sind das Sie?";
    /// Button.
    data_submit: "Oui, c'est moi", "Ja, das bin ich";
    /// Heading.
    password_title: "Choisissez votre mot de passe", "Wählen Sie Ihr Passwort";
    /// Label.
    password_new: "Nouveau mot de passe", "Neues Passwort";
    /// Label.
    password_again: "Le même, encore une fois", "Noch einmal dasselbe";
    /// Rule.
    rule_length: "a de 10 à 50 caractères", "hat 10 bis 50 Zeichen";
    /// Rule.
    rule_classes: "mélange au moins 3 de ces 4 sortes", "mischt mindestens 3 dieser 4 Arten";
    /// Complaint.
    password_short: "Il est trop court", "Es ist zu kurz";
    /// Complaint.
    password_long: "Il est trop long", "Es ist zu lang";
    /// Complaint.
    password_classes: "Il mélange trop peu de sortes de caractères",
        "Es mischt zu wenige Arten von Zeichen";
    /// Complaint.
    password_has_name: "Il contient votre prénom ou votre nom", "Es enthält Ihren Vor- oder Nachnamen";
    /// Complaint.
    password_is_code: "C'est votre code d'activation", "Es ist Ihr Aktivierungscode";
    /// Complaint.
    password_not_the_same: "Les deux mots de passe ne sont pas identiques",
        "Die beiden Passwörter sind nicht gleich";
    /// Heading.
    method_title: "Votre téléphone et votre méthode", "Ihr Telefon und Ihre Methode";
    /// Label.
    phone: "Numéro de téléphone mobile", "Mobiltelefonnummer";
    /// Complaint.
    phone_country: "Nous ne pouvons pas envoyer de SMS dans ce pays",
        "In dieses Land können wir keine SMS senden";
    /// Option.
    method_app: "Application d'authentification", "Authentifizierungs-App";
    /// Option.
    method_sms: "SMS", "SMS";
    /// Option.
    method_token: "Token", "Token";
    /// Label.
    serial: "Numéro de série", "Seriennummer";
    /// After a number or code that is none.
    token_not_together: "Ce numéro et ce code ne vont pas ensemble",
        "Diese Nummer und dieser Code gehören nicht zusammen";
    /// Heading.
    done_title: "Votre identité numérique est active", "Ihre digitale Identität ist aktiv";
    /// After a wrong name or code.
    activation_wrong: "Ce nom d'utilisateur et ce code ne vont pas ensemble",
        "Dieser Benutzername und dieser Code gehören nicht zusammen";
    /// After its time.
    activation_expired: "Ce code n'est plus valable depuis le", "Dieser Code ist seit dem";
    /// After its use.
    activation_used: "Ce code a déjà servi", "Dieser Code wurde schon verwendet";

    // --- The account
    /// Heading.
    account_title: "Votre compte", "Ihr Konto";
    /// Link, and heading of the page.
    new_phone: "Nouveau téléphone : lier l'application", "Neues Telefon: App verbinden";
    /// On the same page, at school.
    new_phone_outside: "n'est possible qu'hors du réseau de l'État", "nur ausserhalb des Netzes des Staates";
    /// Link, and heading of the page.
    change_password: "Changer de mot de passe", "Passwort ändern";
    /// Label.
    password_current: "Mot de passe actuel", "Aktuelles Passwort";
    /// Button.
    change_password_submit: "Changer le mot de passe", "Passwort ändern";
    /// Heading after it.
    password_changed: "Votre mot de passe est changé", "Ihr Passwort ist geändert";
    /// After another one than the present one.
    password_current_wrong: "Ce n'est pas votre mot de passe actuel", "Das ist nicht Ihr aktuelles Passwort";
    /// Complaint.
    password_used_before: "C'est l'un de vos 10 derniers mots de passe",
        "Es ist eines Ihrer letzten 10 Passwörter";
    /// Button.
    sign_out_everywhere: "Se déconnecter partout", "Überall abmelden";

    // --- Recovery codes
    /// Heading.
    recovery_title: "Codes de secours", "Notfallcodes";
    /// Link on the account.
    recovery_open: "Gérer les codes", "Codes verwalten";
    /// Button.
    recovery_make: "Créer des codes de secours", "Notfallcodes erstellen";
    /// The same button later.
    recovery_make_new: "Créer de nouveaux codes", "Neue Codes erstellen";
    /// Heading of the sheet.
    recovery_made_title: "Vos codes de secours", "Ihre Notfallcodes";
    /// On the sheet.
    recovery_once: "Cette page ne s'affiche qu'une fois", "Diese Seite erscheint nur einmal";
    /// Link below the sheet.
    recovery_noted: "Je les ai notés", "Ich habe sie notiert";
    /// On the account.
    recovery_left_8: "Il vous reste 8 codes", "Sie haben noch 8 Codes";
    /// For who came in with a code.
    recovery_not_with_a_code: "Vous êtes entré avec un code de secours",
        "Sie haben sich mit einem Notfallcode angemeldet";
    /// Button beside the code of the app.
    recovery_lost: "Je n'ai plus mon téléphone", "Ich habe mein Telefon nicht mehr";
    /// Heading.
    recovery_code_title: "Entrez un code de secours", "Geben Sie einen Notfallcode ein";
    /// Label.
    recovery_code: "Code de secours", "Notfallcode";
    /// After a code that is none.
    recovery_wrong: "Ce n'est pas un de vos codes de secours", "Das ist keiner Ihrer Notfallcodes";
    /// Button.
    recovery_usual: "Revenir au code habituel", "Zurück zum üblichen Code";
    /// Heading.
    replacement_title: "Le code est juste", "Der Code ist richtig";
    /// Below it.
    replacement_left_7: "Il vous reste 7 codes de secours", "Sie haben noch 7 Notfallcodes";
    /// Button.
    replacement_replace: "Installer l'application", "App installieren";
    /// Button.
    replacement_keep: "Continuer sans rien changer", "Weiter, ohne etwas zu ändern";
}
