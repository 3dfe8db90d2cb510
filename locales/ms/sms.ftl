# SMS kepada pemilik akaun; lihat en/sms.ftl.

sms-code = { $code } ialah kod anda untuk { $product }, sah selama { $minutes } minit. Kami tidak pernah memintanya daripada anda.
    .short = { $code } ialah kod anda untuk { $product }
sms-test = { $product } menghantar ini untuk melihat sama ada SMS sampai. Ia sampai.
