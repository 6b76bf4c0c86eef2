# The recovery codes, for the day on which telephone or Token is lost.
recovery-title = Recovery codes
recovery-what = A recovery code stands once for your telephone or Token when you no longer have it. Keep the codes on paper, at home, and not with the telephone.
recovery-none = You have no recovery codes.
recovery-left = { $left ->
    [0] You have no code left. The last ones were made on { $when }.
    [one] You have one code left, made on { $when }.
   *[other] You have { $left } codes left, made on { $when }.
}
recovery-make = Make recovery codes
recovery-make-new = Make new codes
recovery-voids = The new codes replace the old ones, which then no longer work.
recovery-prove-first = We will first ask for your password and your code, even if you are signed in.
recovery-not-enrolled = Set up strong authentication first: sign in once from home or over the mobile network.
recovery-not-here = You are on the network “{ $zone }”. Make your codes at home or over the mobile network, where nobody can read along.
recovery-not-with-a-code = You came in with a recovery code. Sign in with your telephone or Token to make new ones.
recovery-open = Manage the codes
recovery-back = Back to your account
recovery-made-title = Your recovery codes
recovery-made-when = For { $username }, made on { $when }.
recovery-made-once = This page is shown only once.
recovery-made-keep = Print it or copy the codes on paper, and keep them at home.
recovery-made-use = Without telephone and Token: sign in, choose “I no longer have my telephone” or “I no longer have my Token”, and enter one of these codes. Each works once. Give them to nobody; the school will never ask for them.
recovery-made-done = I have noted them
recovery-lost-phone = I no longer have my telephone
recovery-lost-token = I no longer have my Token
recovery-code-title = Enter a recovery code
recovery-code-explained = Take a code that has not been used from the sheet that you kept. Cross it out afterwards.
recovery-code-label = Recovery code
recovery-code-hint = 15 letters and digits. Capitals, spaces and dashes do not matter.
recovery-code-without = You have no recovery codes?
recovery-code-back = Back to the usual code
recovery-malformed = Letters are missing, or there are too many
recovery-malformed-cure = A recovery code has 15 letters and digits. This try does not count.
recovery-wrong = That is none of your recovery codes
recovery-wrong-cure = Take the newest sheet: new codes replace the old ones.
recovery-replayed-cure = Each code works once. Take another one from the sheet.
replacement-title = The code is right
replacement-left = { $left ->
    [0] That was the last one: make new codes as soon as you have your telephone.
    [one] You have one recovery code left.
   *[other] You have { $left } recovery codes left.
}
replacement-app = Is your telephone lost, stolen or new? Install the app on the new one: it replaces the old app, and you are signed out everywhere else.
replacement-sms = Is your telephone or your number lost? Install an app on another telephone: it replaces the SMS, and you are signed out everywhere else.
replacement-token = Is your Token lost or broken? Install an app on your telephone: it replaces the Token, and you are signed out everywhere else.
replacement-replace = Install the app
replacement-not-here = No app is set up on the network of the school. Do it at home or over the mobile network, with another recovery code.
replacement-keep-text = Just forgotten? Nothing changes: next time you sign in as usual.
replacement-keep = Continue without changing anything
