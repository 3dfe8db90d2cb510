//! Codes by mail: they arrive at once, and where no log and no subject shows them.

use super::*;
use post::header;

const EMAIL: &str = "/account/security/2fa/email";

/// The code in the newest mail that tells one.
fn code_in_mail(post: &Post, count: usize) -> String {
    let told = |message: &Value| header(message, "subject") == "Your code for Customer Portal";
    let began = Instant::now();
    loop {
        let messages: Vec<Value> = post.told("message").into_iter().filter(told).collect();
        if messages.len() >= count {
            let message = &messages[count - 1];
            assert_eq!(message["to"], json!([ALICE]));
            let text = text_of(message);
            let (_, code) = text.split_once("Code: ").unwrap();
            return code[..8].to_owned();
        }
        assert!(began.elapsed() < Duration::from_secs(10), "no code arrives");
        thread::sleep(Duration::from_millis(10));
    }
}

fn text_of(message: &Value) -> String {
    message["text"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn somebody_signs_in_by_a_code_that_came_by_mail() {
    let Some(installation) = installation() else { return };
    let post = Post::open(&installation, 0, "starttls", "take", "ca");
    let served = serve(&installation, &format!("smtp://localhost:{}", post.port));
    let token = served.login(ALICE).await["tokens"]["access_token"].as_str().unwrap().to_owned();
    let began = Instant::now();
    let (status, started) = served.post(EMAIL, &token, &json!({"password": PASSWORD})).await;
    assert_eq!((status, &started["sent_to"]), (201, &json!("a•••@example.test")), "{started}");
    let first = code_in_mail(&post, 1);
    println!("a code was in the mailbox {:.3} s after it was asked for", began.elapsed().as_secs_f64());
    assert!(began.elapsed() < Duration::from_secs(2));
    let confirm = format!("{EMAIL}/{}/confirm", started["id"].as_str().unwrap());
    assert_eq!(served.post(&confirm, &token, &json!({"code": first})).await.0, 200);

    let challenge = served.login(ALICE).await["challenge"].clone();
    let start = json!({"challenge": challenge, "method": "email"});
    let (status, started) = served.post("/auth/login/second-factor/start", "", &start).await;
    assert_eq!(status, 200, "{started}");
    let second = code_in_mail(&post, 2);
    let answer = json!({"challenge": challenge, "method": "email", "code": second});
    let (status, signed_in) = served.post("/auth/login/second-factor", "", &answer).await;
    assert_eq!((status, &signed_in["tokens"]["amr"]), (200, &json!(["pwd", "otp", "mfa"])), "{signed_in}");
    assert_eq!(served.post("/auth/login/second-factor", "", &answer).await.0, 410, "it is good once");
    let log = installation.logged();
    assert!(!log.contains(&first) && !log.contains(&second) && !log.contains(ALICE), "{log}");
}

#[actix_web::test]
async fn a_mail_server_that_asks_for_patience_gets_the_code_a_little_later() {
    let Some(installation) = installation() else { return };
    let post = Post::open(&installation, 0, "smtps", "later", "ca");
    let served = serve(&installation, &format!("smtps://localhost:{}", post.port));
    let token = served.login(ALICE).await["tokens"]["access_token"].as_str().unwrap().to_owned();
    assert_eq!(served.post(EMAIL, &token, &json!({"password": PASSWORD})).await.0, 201);
    post.wait("later", 1);
    let log = logged(&installation, "a code is not sent");
    code_in_mail(&post, 1);
    assert!(!log.contains(ALICE), "{log}");
}
