# 发给账户所有者的短信；见 en/sms.ftl。一条短信可容纳 70 个汉字。

sms-code = { $code } 是您的 { $product } 验证码，{ $minutes } 分钟内有效。我们绝不会向您索要。
    .short = { $code } 是您的 { $product } 验证码
sms-test = { $product } 发送此短信以测试能否送达。已送达。
