# What is around every page.
language = Language
title-error = Error – { $title }
step = Step { $at } of { $of }
help = Need help?
software = Runs on Furka
signed-in-as = Signing in: { $username }
not-me = Not you?
submit = Submit
continue = Continue
start-again = Start again
back-to = Back to { $application }
support-code = Support code
support-code-hint = Give this code to the person helping you: they will see what happened.
day-and-clock = { $day } at { $clock }
span-seconds = { $n ->
    [one] { $n } second
   *[other] { $n } seconds
}
span-minutes = { $n ->
    [one] { $n } minute
   *[other] { $n } minutes
}
span-hours = { $n ->
    [one] { $n } hour
   *[other] { $n } hours
}
tries-left = { $n ->
    [0] You have no try left.
    [one] You have one try left.
   *[other] You have { $n } tries left.
}
home-title = Your digital identity
home-text = One user name and one password for all digital services of your school.
home-go = Open { $application }
home-activate = Activate your digital identity
home-activate-text = You have received an activation code? Start here.
home-account = Your account
home-account-text = Where you are signed in, and your strong authentication.
not-found-title = This page does not exist
not-found-text = The address may be incomplete, or the page has moved. Go back to the application you wanted to open and click “Sign in”.
not-found-home = Front page
overloaded-title = One moment, please
overloaded-text = Many people are signing in right now. You have lost nothing and need not repeat anything.
overloaded-outage = The service needs a few seconds. You have lost nothing and need not repeat anything.
overloaded-wait = This page tries again by itself in { $wait }.
overloaded-now = Try again now
overloaded-sent = The service needs a few seconds. What you sent may not have arrived: the next page shows where you are.
overloaded-sent-now = Open it now
overloaded-sent-wait = The page opens by itself in { $wait }.
