# SMS to account owners, in one part: 160 characters of the GSM alphabet, or 70 of any other. `.short` is for names that
# leave no room for the rest. The code stands first, where phones show it before the SMS is opened.

sms-code = { $code } is your code for { $product }, good for { $minutes ->
    [one] one minute
   *[other] { $minutes } minutes
    }. We never ask you for it.
    .short = { $code } is your code for { $product }
sms-test = { $product } sent this to see whether SMS arrive. They do.
