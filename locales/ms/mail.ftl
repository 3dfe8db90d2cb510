# Mel kepada pemilik akaun; lihat en/mail.ftl.

moment = { $day } { $month ->
    [1] Januari
    [2] Februari
    [3] Mac
    [4] April
    [5] Mei
    [6] Jun
    [7] Julai
    [8] Ogos
    [9] September
    [10] Oktober
    [11] November
   *[12] Disember
    } { $year }, { $time } UTC
colon = { ": " }
fact-code = Kod
fact-when = Bila
fact-network = Dari rangkaian
fact-program = Dengan
fact-actor = Oleh
actor-support = sokongan kami
actor-system = { $product }
fact-webhook = Webhook
program-unknown = program yang tidak kami kenali
repeated = Ini berlaku { $times } kali lagi sejak mel kami yang terakhir mengenainya; yang pertama ditunjukkan di sini.
advice-title = Jika ini bukan anda
advice-default = Tukar kata laluan anda dengan segera, semak peranti yang telah log masuk, dan hubungi sokongan.
undo-label = Bukan saya, batalkan ini
undo-note = Pautan ini boleh digunakan sekali sahaja, hingga { $until }. Ia mengembalikan pengesah dan meminta kata laluan baharu. Jika ini memang anda, tiada apa-apa yang perlu dibuat.
page-label = Lihat keselamatan akaun anda
stop-label = Jangan hantar peringatan lagi
webhook-label = Apakah webhook yang dinyahdayakan
support-title = Sokongan
footer = { $product } menghantar mel ini kerana ia berkaitan dengan keselamatan akaun anda. Kami tidak pernah meminta kata laluan atau kod melalui mel.

two_factor-enabled = Pengesahan dua faktor telah dihidupkan
    .body = Mulai sekarang, log masuk ke akaun anda memerlukan kata laluan dan kod daripada aplikasi pengesah. Simpan kod pemulihan di tempat yang boleh dicapai tanpa telefon anda.
two_factor-disabled = Pengesahan dua faktor telah dimatikan
    .body = Mulai sekarang, kata laluan sahaja sudah cukup untuk log masuk ke akaun anda.
    .advice = Seseorang yang mengetahui kata laluan anda mungkin melakukannya. Batalkan dengan pautan di bawah; semua peranti turut dilog keluar. Kemudian hubungi sokongan.
two_factor-restored = Pengesahan dua faktor telah dihidupkan semula
    .body = Pematian telah dibatalkan, kata laluan baharu telah ditetapkan, dan semua peranti telah dilog keluar. Kod pemulihan lama tidak sah lagi: buat yang baharu selepas anda log masuk.
    .advice = Sesiapa yang melakukannya mempunyai mel yang kami hantar ke alamat ini. Tukar kata laluan peti mel anda, dan hubungi sokongan.
two_factor-reminded = Pengesahan dua faktor masih dimatikan
    .body = Akaun anda dilindungi oleh kata laluan sahaja. Menyediakan aplikasi pengesah mengambil masa kira-kira seminit, dan menghalang sesiapa yang mengetahui kata laluan anda.
    .advice = Anda tidak perlu berbuat apa-apa. Jika bukan anda yang mematikannya, tukar kata laluan, sediakan semula, dan hubungi sokongan.
two_factor-replaced = Pengesah lain telah menggantikan pengesah anda
    .body = Kod daripada pengesah yang lama ditolak mulai sekarang. Anda juga mempunyai kod pemulihan baharu; yang lama tidak sah lagi.
two_factor-reset_by_support = Sokongan kami telah mematikan pengesahan dua faktor
    .body = Mulai sekarang, kata laluan sahaja sudah cukup untuk log masuk ke akaun anda.
    .advice = Jika anda tidak memintanya daripada sokongan, batalkan dengan pautan di bawah; semua peranti turut dilog keluar. Kemudian hubungi sokongan.
two_factor-reset_by_operator = Pengesahan dua faktor telah dimatikan oleh { $product }
    .body = Mulai sekarang, kata laluan sahaja sudah cukup untuk log masuk ke akaun anda.
    .advice = Jika anda tidak memintanya, batalkan dengan pautan di bawah; semua peranti turut dilog keluar. Kemudian hubungi sokongan.
method-added = Pengesah lain telah ditambah
    .body = Kod daripadanya boleh digunakan untuk log masuk ke akaun anda mulai sekarang.
method-removed = Satu pengesah telah dibuang
    .body = Kod daripadanya ditolak mulai sekarang. Pengesah lain dalam akaun anda masih berfungsi.
method-renamed = Satu pengesah telah diberi nama lain
    .body = Ia masih berfungsi seperti biasa.
recovery_codes-regenerated = Anda mempunyai kod pemulihan baharu
    .body = Semua kod pemulihan yang lama tidak sah lagi. Simpan yang baharu di tempat yang boleh dicapai tanpa telefon anda.
recovery_code-used = Satu kod pemulihan telah digunakan
    .body = Seseorang membuktikan diri sebagai anda dengan kod pemulihan dan bukan kod daripada pengesah. { $remaining ->
        [unknown] Kod itu tidak boleh digunakan lagi. Buat kod baharu sementara masih ada yang tinggal.
        [0] Itu yang terakhir: buat kod baharu.
       *[other] Tinggal { $remaining } kod pemulihan.
        }
recovery_code-used-by-system = Buat kod pemulihan baharu
    .body = Kami terpaksa memulihkan data daripada salinan, dan menganggap kod pemulihan anda telah digunakan supaya tiada yang boleh digunakan dua kali. Buat yang baharu selepas anda log masuk.
    .advice = Anda tidak perlu berbuat apa-apa lagi.
account-suspended = Akaun anda telah digantung
    .body = Tiada sesiapa boleh log masuk sekarang, dan semua peranti telah dilog keluar.
    .advice = Jika anda tidak tahu sebabnya, hubungi sokongan.
account-resumed = Akaun anda boleh digunakan semula
    .body = Akaun anda digantung sebelum ini. Anda boleh log masuk seperti biasa.
    .advice = Jika anda tidak tahu sebabnya, hubungi sokongan.
account-deleted = Akaun anda telah dipadam
    .body = Pengesah, kod pemulihan dan sesinya telah tiada.
    .advice = Jika anda tidak tahu sebabnya, hubungi sokongan.
account-unlocked = Akaun anda telah dibuka semula
    .body = Kod atau kata laluan salah yang menguncinya telah dilupakan. Anda boleh log masuk semula.
    .advice = Jika anda tidak memintanya, seseorang cuba masuk: tukar kata laluan anda, dan hubungi sokongan.
account-provisioned = Akaun anda telah diubah oleh { $product }
    .body = Mulai sekarang, log masuk lain di portal membawa kepadanya. Semua peranti telah dilog keluar.
    .advice = Jika anda tidak tahu sebabnya, hubungi sokongan dengan segera.
email-changed = Akaun anda mempunyai alamat e-mel lain
    .body = Mel seperti ini akan dihantar ke alamat baharu mulai sekarang. Mel ini dihantar ke kedua-duanya.
scope-granted = Akaun anda boleh melakukan lebih banyak
    .body = Ia boleh bertindak bagi pihak sokongan kami mulai sekarang.
    .advice = Jika anda tidak tahu sebabnya, hubungi sokongan.
scope-revoked = Akaun anda boleh melakukan lebih sedikit
    .body = Ia tidak lagi boleh bertindak bagi pihak sokongan kami.
    .advice = Jika anda tidak tahu sebabnya, hubungi sokongan.
login-succeeded = Log masuk dari rangkaian baharu
    .body = Seseorang telah log masuk ke akaun anda dari rangkaian yang tidak digunakan kebelakangan ini.
login-second_factor_failed = Log masuk gagal pada langkah kedua
    .body = Seseorang memberikan kata laluan anda yang betul dan kod yang salah. Mereka tidak dapat log masuk.
    .advice = Seseorang mengetahui kata laluan anda: tukar dengan segera, di mana sahaja anda menggunakannya.
reauthentication-failed = Kata laluan atau kod salah dalam akaun anda
    .body = Seseorang yang telah log masuk ke akaun anda mahu mengubah sesuatu, dan memberikan kata laluan atau kod yang salah.
session-revoked = Kami telah menamatkan satu sesi anda
    .body = Sesi itu digunakan seolah-olah orang lain telah mendapatkannya, jadi kami telah melog keluar peranti itu.
two_factor-required = Pengesahan dua faktor diwajibkan bagi akaun anda
    .body = Jika ia dimatikan, sediakannya semasa log masuk yang berikutnya. Selepas beberapa lama, tiada yang lain boleh dilakukan sebelum itu. Ia tidak boleh dimatikan lagi.
    .advice = Anda tidak perlu berbuat apa-apa lagi. Jika anda tidak tahu sebabnya, hubungi sokongan.
device-token_reused = Kami telah melupakan satu peranti yang anda minta kami ingat
    .body = Seseorang memberikan kata laluan anda yang betul, dan sesuatu yang peranti anda telah tunjukkan kepada kami sekali sebelum ini. Maka peranti itu diminta faktor kedua semula, dan orang itu juga diminta.
    .advice = Seseorang mungkin telah menyalin apa yang disimpan pada peranti anda, dan mengetahui kata laluan anda: tukarkannya dengan segera, dan semak peranti yang telah log masuk. Jika sambungan terputus semasa anda log masuk, mungkin itu anda sendiri.
password-changed = Kata laluan anda telah ditukar
    .body = Semua peranti lain telah dilog keluar.
password-changed-by-system = Kata laluan anda telah ditukar oleh { $product }
    .body = Semua peranti telah dilog keluar.
    .advice = Jika anda tidak memintanya, hubungi sokongan.
bypass_code-issued = Sokongan kami telah membuat kod untuk anda
    .body = Kod itu membolehkan anda log masuk sekali tanpa pengesah, untuk masa yang singkat. Jangan berikan kepada sesiapa, termasuk sokongan.
    .advice = Jika anda tidak memintanya, hubungi sokongan dengan segera.
bypass_code-used = Kod daripada sokongan kami telah digunakan
    .body = Seseorang telah log masuk ke akaun anda dengannya dan bukan dengan kod daripada pengesah.
passkey-counter_went_back = Satu kunci laluan anda mungkin telah disalin
    .body = Kunci itu digunakan, dan menyatakan bahawa ia digunakan kurang kerap daripada yang kami tahu. Itu berlaku apabila dua peranti memegang kunci yang sama. Kami menolaknya.
    .advice = Buang kunci laluan itu dalam tetapan keselamatan akaun anda, dan sediakan yang baharu, dan tukar kata laluan anda.
partner-allowed = { $partner } boleh melihat sama ada akaun anda dilindungi
    .body = Ia mengetahui sama ada pengesahan dua faktor dihidupkan, dan boleh meminta kod daripada anda. Ia tidak melihat rahsia atau data anda.
partner-refused = { $partner } tidak lagi melihat sama ada akaun anda dilindungi
    .body = Ia tidak diberitahu apa-apa lagi tentang akaun anda.
webhook-gone = Satu webhook anda telah dinyahdayakan
    .body = Penerimanya menjawab 410 Gone. Tiada apa-apa lagi dihantar kepadanya.
    .advice-title = Apa yang perlu dibuat
    .advice = Pastikan penerima itu ada dan menjawab 2xx, kemudian dayakan semula webhook itu (PATCH dengan enabled: true). Apa yang terlepas ada dalam senarai penghantarannya selama 30 hari, dan boleh diminta semula.
    .footer = { $product } menghantar mel ini kerana alamat ini ialah alamat perhubungan bagi program rakan kongsi. Kami tidak pernah meminta kata laluan, rahsia atau kod melalui mel.
webhook-failing = Satu webhook anda telah dinyahdayakan
    .body = Penerimanya tidak menerima apa-apa selama tiga hari. Tiada apa-apa lagi dihantar kepadanya.
    .advice-title = Apa yang perlu dibuat
    .advice = Pastikan penerima itu ada dan menjawab 2xx, kemudian dayakan semula webhook itu (PATCH dengan enabled: true). Apa yang terlepas ada dalam senarai penghantarannya selama 30 hari, dan boleh diminta semula.
    .footer = { $product } menghantar mel ini kerana alamat ini ialah alamat perhubungan bagi program rakan kongsi. Kami tidak pernah meminta kata laluan, rahsia atau kod melalui mel.
code = Kod anda untuk { $product }
    .body = Masukkan kod ini di tempat anda diminta, dalam masa { $minutes } minit. Ia boleh digunakan sekali sahaja.
    .advice = Seseorang mempunyai kata laluan anda: tukar dengan segera. Jangan beri kod ini kepada sesiapa, siapa pun yang memintanya.
other = Sesuatu telah berubah dalam keselamatan akaun anda
    .body = Lihat keselamatan akaun anda untuk mengetahui apa yang berubah.
test = Ujian mel kami
    .body = Penjaga { $product } menghantar mel ini untuk melihat sama ada mel kami sampai. Mel ini telah sampai.
    .advice = Anda tidak perlu berbuat apa-apa.
