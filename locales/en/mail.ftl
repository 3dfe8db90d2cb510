# Mails to account owners. A kind of event is a message: its value is the subject and the heading, `.body` says what it
# means, and `.advice` what to do for whoever did not do it. Those with `-by-system` or `-by-support` go before those
# without, where the operator or support acted. Whoever overrides a message writes all of it.

moment = { $day } { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
    } { $year }, { $time } UTC
colon = { ": " }
fact-code = Code
fact-when = When
fact-network = From the network
fact-program = With
fact-actor = By
actor-support = our support
actor-system = { $product }
fact-webhook = Webhook
program-unknown = a program that we do not know
repeated = { $times ->
    [one] This happened once more since our last mail about it.
   *[other] This happened { $times } times since our last mail about it; the first of them is shown here.
    }
advice-title = If it was not you
advice-default = Change your password at once, look at the devices that are signed in, and contact support.
undo-label = It was not me, undo this
undo-note = The link works once, until { $until }. It puts the authenticator back, and asks you for a new password. If it was you, there is nothing to do.
page-label = Look at your account’s security
stop-label = Send no more reminders
webhook-label = What a disabled webhook is
support-title = Support
footer = { $product } sends this mail because it is about the security of your account. We never ask for a password or a code by mail.

two_factor-enabled = Two-factor authentication is on
    .body = From now on, signing in to your account takes your password and a code from your authenticator app. Keep your recovery codes where you find them without your phone.
two_factor-disabled = Two-factor authentication was switched off
    .body = From now on, a password alone is enough to sign in to your account.
    .advice = Somebody who knows your password may have done it. Undo it with the link below; that also signs everybody out. Then contact support.
two_factor-restored = Two-factor authentication is on again
    .body = Switching it off was undone, a new password was set, and every device was signed out. Your old recovery codes are gone: make new ones when you have signed in.
    .advice = Whoever did it has a mail that we sent to this address. Change the password of your mailbox, and contact support.
two_factor-reminded = Two-factor authentication is still off
    .body = Your account is protected by a password alone. Setting up an authenticator app takes about a minute, and keeps out whoever learns your password.
    .advice = You need not do anything. If it was not you who switched it off, change your password, set it up again, and contact support.
two_factor-replaced = Another authenticator took the place of yours
    .body = Codes from the authenticator before are refused from now on. You have new recovery codes, too; the old ones are gone.
two_factor-reset_by_support = Our support switched two-factor authentication off
    .body = From now on, a password alone is enough to sign in to your account.
    .advice = If you did not ask support for this, undo it with the link below; that also signs everybody out. Then contact support.
two_factor-reset_by_operator = Two-factor authentication was switched off by { $product }
    .body = From now on, a password alone is enough to sign in to your account.
    .advice = If you did not ask for this, undo it with the link below; that also signs everybody out. Then contact support.
method-added = Another authenticator was added
    .body = Codes from it are good for signing in to your account from now on.
method-removed = An authenticator was removed
    .body = Codes from it are refused from now on. The others of your account still work.
method-renamed = An authenticator has another name
    .body = It still works as before.
recovery_codes-regenerated = You have new recovery codes
    .body = All recovery codes from before are gone. Keep the new ones where you find them without your phone.
recovery_code-used = A recovery code was used
    .body = Somebody proved to be you by a recovery code instead of a code from the authenticator. { $remaining ->
        [unknown] It cannot be used again. Make new ones while some are left.
        [0] It was the last one: make new ones.
        [one] One recovery code is left: make new ones.
       *[other] { $remaining } recovery codes are left.
        }
recovery_code-used-by-system = Make new recovery codes
    .body = We had to restore our data from a copy, and declared your recovery codes used, so that none can be used twice. Make new ones when you have signed in.
    .advice = You need not do anything else.
account-suspended = Your account is suspended
    .body = Nobody can sign in to it now, and every device was signed out.
    .advice = If you do not know why, contact support.
account-resumed = Your account may be used again
    .body = It was suspended before. You can sign in as usual.
    .advice = If you do not know why, contact support.
account-deleted = Your account was deleted
    .body = Its authenticators, recovery codes and sessions are gone.
    .advice = If you do not know why, contact support.
account-unlocked = Your account was unlocked
    .body = Wrong codes or passwords that had locked it are forgotten. You can sign in again.
    .advice = If you did not ask for this, somebody tries to get in: change your password, and contact support.
account-provisioned = Your account was changed by { $product }
    .body = Another sign-in at the portal leads to it from now on. All devices were signed out.
    .advice = If you do not know why, contact support at once.
email-changed = Your account has another e-mail address
    .body = Mails like this one go to the new address from now on. You get this one at both.
scope-granted = Your account may do more
    .body = It can act for our support from now on.
    .advice = If you do not know why, contact support.
scope-revoked = Your account may do less
    .body = It can act for our support no more.
    .advice = If you do not know why, contact support.
login-succeeded = A sign-in from a new network
    .body = Somebody signed in to your account from a network that it was not used from lately.
login-second_factor_failed = A sign-in failed at the second step
    .body = Somebody gave your right password and a wrong code. They are not signed in.
    .advice = Somebody knows your password: change it at once, wherever you use it.
reauthentication-failed = A password or code was wrong in your account
    .body = Somebody who is signed in to your account wanted to change something, and gave a wrong password or code.
session-revoked = We ended a session of yours
    .body = It was used in a way that looks like somebody else had got hold of it, so we signed that device out.
two_factor-required = Two-factor authentication is required for your account
    .body = If it is off, set it up at your next sign-in. After some time nothing else will be possible before that. It can no longer be switched off.
    .advice = You need not do anything else. If you do not know why, contact support.
device-token_reused = We forgot a device that you had us remember
    .body = Somebody gave your right password, and what your device had shown us once before. So that device is asked for the second factor again, and they were asked for it too.
    .advice = Somebody may have copied what is stored on your device, and knows your password: change it at once, and look at the devices that are signed in. If the connection broke off while you signed in, it may have been you.
password-changed = Your password was changed
    .body = All other devices were signed out.
password-changed-by-system = Your password was changed by { $product }
    .body = All devices were signed out.
    .advice = If you did not ask for this, contact support.
bypass_code-issued = Our support made a code for you
    .body = It lets you sign in once without your authenticator, for a short time. Give it to nobody, not even to support.
    .advice = If you did not ask for it, contact support at once.
bypass_code-used = A code from our support was used
    .body = Somebody signed in to your account with it instead of a code from the authenticator.
passkey-counter_went_back = One of your passkeys may have been copied
    .body = It was used, and said to have been used less often than we know of. That happens when two devices hold the same key. We refused it.
    .advice = Remove that passkey in your account security settings, and set up a new one, and change your password.
partner-allowed = { $partner } may see whether your account is protected
    .body = It learns whether two-factor authentication is on, and may ask you for a code. It sees no secret, and none of your data.
partner-refused = { $partner } no longer sees whether your account is protected
    .body = It is told nothing more about your account.
webhook-gone = A webhook of yours was disabled
    .body = Its receiver answered 410 Gone. Nothing is sent to it any more.
    .advice-title = What to do
    .advice = See that the receiver is there and answers 2xx, then enable the webhook again (PATCH with enabled: true). What it has missed is in its deliveries for 30 days, and can be asked for again.
    .footer = { $product } sends this mail because this address is the contact of a partner’s program. We never ask for a password, a secret or a code by mail.
webhook-failing = A webhook of yours was disabled
    .body = Its receiver has taken nothing for three days. Nothing is sent to it any more.
    .advice-title = What to do
    .advice = See that the receiver is there and answers 2xx, then enable the webhook again (PATCH with enabled: true). What it has missed is in its deliveries for 30 days, and can be asked for again.
    .footer = { $product } sends this mail because this address is the contact of a partner’s program. We never ask for a password, a secret or a code by mail.
code = Your code for { $product }
    .body = Type it in where you were asked for it, within { $minutes ->
        [one] one minute
       *[other] { $minutes } minutes
        }. It works once.
    .advice = Somebody has your password: change it at once. Give the code to nobody, whoever asks for it.
other = Something changed in the security of your account
    .body = Look at your account’s security to see what it was.
test = A test of our mail
    .body = Whoever looks after { $product } sent this to see whether mails arrive. They do.
    .advice = You need not do anything.
