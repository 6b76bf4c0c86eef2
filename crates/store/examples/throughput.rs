//! How many sign-ins a second the engine takes. `DIR` says where the database lies.
use journey::effect::Effect;
use journey::*;
use std::{sync::Arc, time::Instant};
fn cpu() -> f64 {
    let s = std::fs::read_to_string("/proc/self/stat").unwrap();
    let v: Vec<&str> = s.split(' ').collect();
    (v[13].parse::<f64>().unwrap() + v[14].parse::<f64>().unwrap()) / 100.0
}
use store::{
    seal::{Keys, sha256},
    sqlite::Sqlite,
    *,
};
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let dir = std::env::args().nth(1).unwrap();
    let path = format!("{dir}/bench.db");
    let _ = std::fs::remove_file(&path);
    let store: AnyStore =
        Arc::new(Sqlite::open(&path, Arc::new(Keys::from_master(&[1; 32]))).unwrap());
    let by = By {
        address: Some("192.0.2.1".into()),
        at: Timestamp(1_900_000_000),
        person: None,
        place: Place::Public,
        support: "K7QX-2M".into(),
        through: "journey".into(),
    };
    let people: Vec<_> = (0..55_000u64).map(|n| NewPerson{aliases:vec![format!("a.{n}")],first_name:"A".into(),id:PersonId(sha256(&n.to_be_bytes())[..16].try_into().unwrap()),language:Language::Fr,last_name:"B".into(),mail:"a@b.ch".into(),method:None,password:Some(Secret::new(b"$argon2id$v=19$m=19456,t=2,p=1$aaaaaaaaaaaaaaaaaaaaaa$bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb".to_vec())),phone:None,role:Role::Pupil,school:None,token_serial:None,username:format!("p.{n}")}).collect();
    let t = Instant::now();
    store.import_people(&people, &by).await.unwrap();
    println!("import 55k {:?} cpu total {}", t.elapsed(), cpu());
    let t = Instant::now();
    store.import_people(&people, &by).await.unwrap();
    println!("import again {:?} cpu total {}", t.elapsed(), cpu());
    let c0 = cpu();
    let t = Instant::now();
    for n in 0..20_000 {
        store.person(people[n].id).await.unwrap();
    }
    println!(
        "read person {:?} cpu us {}",
        t.elapsed() / 20_000,
        (cpu() - c0) * 1e6 / 20_000.0
    );
    for clients in [1usize, 8, 64, 256] {
        let total = if clients == 1 { 500 } else { 20_000 };
        let t = Instant::now();
        let c0 = cpu();
        let tasks: Vec<_> = (0..clients)
            .map(|c| {
                let store = store.clone();
                let by = by.clone();
                let people: Vec<_> = people
                    .iter()
                    .skip(c)
                    .step_by(clients)
                    .map(|p| p.id)
                    .collect();
                tokio::spawn(async move {
                    for (i, p) in people.into_iter().cycle().take(total / clients).enumerate() {
                        let _ = store
                            .spend_try(&LaneKey::Password(p), &limit::PASSWORD_KNOWN_DEVICE, by.at)
                            .await
                            .unwrap();
                        let proof: Proof = serde_json::from_str(
                            r#"{"factor":null,"password":{"at":0,"_checked":null}}"#,
                        )
                        .unwrap();
                        let id = JourneyId(
                            sha256(format!("{clients}-{c}-{i}").as_bytes())[..16]
                                .try_into()
                                .unwrap(),
                        );
                        let j = Journey {
                            browser: [0; 32],
                            id,
                            purpose: "x".repeat(400),
                            state: JourneyState::Login(login::Login::SignedIn(login::SignedIn {
                                person: p,
                                proof: proof.clone(),
                            })),
                            support: "K7QX".into(),
                            until: by.at.plus(900),
                            version: 0,
                        };
                        let e = [
                            Effect::SignIn {
                                person: p,
                                place: Place::Public,
                                proof,
                            },
                            Effect::Audit(Happened::PasswordRight),
                            Effect::Audit(Happened::SignedIn {
                                assurance: Assurance::Password,
                            }),
                        ];
                        let Committed::Yes(Some(s)) =
                            store.open_journey(&j, &e, &by).await.unwrap()
                        else {
                            panic!()
                        };
                        let h = sha256(s.id.expose());
                        let _ = store
                            .redeem_code(
                                &Redemption {
                                    access_token: sha256(&h),
                                    application: "ent".into(),
                                    code: sha256(&id.0),
                                    code_until: by.at.plus(60),
                                    grant: "{}".into(),
                                    session: h,
                                    until: by.at.plus(300),
                                },
                                &by,
                            )
                            .await
                            .unwrap();
                    }
                })
            })
            .collect();
        for t in tasks {
            t.await.unwrap()
        }
        println!(
            "{clients} clients: {:.0} sign-ins/s cpu total {}",
            total as f64 / t.elapsed().as_secs_f64(),
            cpu()
        );
    }
    println!(
        "{}",
        std::fs::read_to_string("/proc/self/status")
            .unwrap()
            .lines()
            .filter(|l| l.starts_with("VmHWM") || l.starts_with("VmRSS"))
            .collect::<Vec<_>>()
            .join(" ")
    );
    println!(
        "db {} MB wal {} MB",
        std::fs::metadata(&path).unwrap().len() >> 20,
        std::fs::metadata(format!("{path}-wal")).unwrap().len() >> 20
    );
}
