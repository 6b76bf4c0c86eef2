//! The measurements of a run: what a sign-in costs. How that grows is in `growth`.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread::available_parallelism,
    time::Duration,
};

use driver::Browser;
use serde_json::{Value, json};
use tokio::{sync::watch, time::sleep};

use crate::{
    Trouble,
    applications::{Applications, life},
    canton::{Canton, Engine, SCHOOL},
    each_ms,
    growth::{self, Growth},
    load::{Act, Closed, Open, Turn, class, closed, open},
    probe,
    process::{Cpu, Provider},
    raw::{self, Raw},
    report::{Figure, Goal, Report, rounded},
    together,
};

/// Rounds in which the floor and the provider take turns, so that a slow spell of the machine meets
/// both.
pub(crate) const ROUNDS: u32 = 3;
/// People who sign in at once: enough that no core waits for a slow disk, too few for a rush.
pub(crate) const AT_ONCE: usize = 40;
/// People with a session who open applications at once.
const AGAIN_AT_ONCE: usize = 8;
const PUPILS: usize = 300;
/// Every twentieth password is mistyped at first.
const WRONG_EVERY: usize = 20;

/// An installation, and for how long to look at it.
pub(crate) struct Run {
    canton: Canton,
    cores: usize,
    furka: PathBuf,
    turn: Turn,
    window: Duration,
}

/// What is known after the sign-ins of a run.
struct SignIns {
    figures: [Figure; 2],
    noise: f64,
    pace: Pace,
}

/// How fast people get in where there is no rush.
#[derive(Clone, Copy)]
struct Pace {
    /// For each core-second that was left to the provider.
    per_left: f64,
    per_second: f64,
}

impl Run {
    pub(crate) async fn prepare(furka: &Path, window: Duration) -> Result<Self, Trouble> {
        let canton = Canton::for_one_run(furka, Engine::Sqlite).await?;
        Ok(Self {
            cores: available_parallelism()?.get(),
            furka: furka.to_owned(),
            turn: Turn::of(&canton),
            canton,
            window,
        })
    }

    /// Measures all, or one.
    pub(crate) async fn measure(&self, only: Option<u8>) -> Result<Report, Trouble> {
        let wants = |number: u8| only.is_none_or(|only| only == number);
        let mut figures = Vec::new();
        let mut noise = 0.0;
        if wants(5) {
            figures.extend(self.start_and_rest().await?);
        }
        let provider = Provider::start(&self.furka, &self.canton).await?;
        if wants(4) {
            figures.extend(self.page(&provider).await?);
        }
        if wants(1) || wants(2) || wants(6) {
            let sign_ins = self.sign_ins(&provider).await?;
            noise = sign_ins.noise;
            figures.extend(sign_ins.figures);
            if wants(6) {
                for times in [2.0, 5.0] {
                    let rush = self.rush(&provider, sign_ins.pace, times).await?;
                    figures.extend(rush);
                }
            }
        }
        if wants(3) {
            figures.extend(self.again(&provider).await?);
        }
        if wants(7) {
            figures.push(self.class(&provider).await?);
        }
        let applications = Applications {
            canton: &self.canton,
            furka: &self.furka,
            provider: &provider,
            turn: &self.turn,
            window: self.window,
        };
        figures.extend(applications.measure(wants).await?);
        if wants(8) {
            figures.extend(growth::bytes(&provider, &self.turn, self.window).await?);
        }
        drop(provider);
        figures.extend(self.grown(only).await?);
        let option = only.map(|number| format!(" --only {number}"));
        let command = format!("cargo xtask bench{}", option.unwrap_or_default());
        Ok(Report {
            command,
            figures,
            noise,
        })
    }

    /// How it grows, and what is done together: installations of their own.
    async fn grown(&self, only: Option<u8>) -> Result<Vec<Figure>, Trouble> {
        let wants = |number: u8| only.is_none_or(|only| only == number);
        let growth = Growth {
            furka: &self.furka,
            window: self.window,
        };
        let mut figures = Vec::new();
        if wants(9) {
            figures.extend(growth.import().await?);
        }
        if wants(10) {
            figures.extend(growth.large().await?);
        }
        if wants(11) {
            figures.extend(growth.million(Engine::Sqlite).await?);
        }
        if wants(12) {
            figures.push(together::commits(&self.canton, self.window).await?);
        }
        if wants(13) {
            figures.push(together::nodes(&self.furka, self.window).await?);
        }
        if wants(14) {
            figures.extend(growth.million(Engine::Postgres).await?);
        }
        Ok(figures)
    }

    /// 5: how soon it answers, and what it holds before anybody came.
    async fn start_and_rest(&self) -> Result<[Figure; 2], Trouble> {
        eprintln!("starts and idle memory …");
        let (mut starts, mut spent, mut memory) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..5 {
            let provider = Provider::start(&self.furka, &self.canton).await?;
            starts.push(provider.started_in);
            spent.push(rounded(ms(provider.cpu()?.all())));
            sleep(Duration::from_millis(500)).await;
            memory.push(provider.memory_kib()?);
        }
        starts.sort();
        memory.sort_unstable();
        let mib = |kib: u64| crate::as_float(kib) / 1024.0;
        Ok([
            Figure {
                name: "start to the first sign-in page (median of 5)",
                value: ms(percentile(&starts, 50)),
                unit: "ms",
                goal: Goal::AtMost(100.0),
                evidence: json!({
                    "cpu_ms": spent,
                    "ms": starts.iter().map(|took| rounded(ms(*took))).collect::<Vec<_>>(),
                }),
            },
            Figure {
                name: "idle memory before the first hash (RSS)",
                value: mib(memory.get(2).copied().unwrap_or_default()),
                unit: "MiB",
                goal: Goal::AtMost(30.0),
                evidence: json!({ "people_in_the_database": crate::canton::PEOPLE }),
            },
        ])
    }

    /// 4: what a browser that was never here downloads for the sign-in page, and what that costs.
    async fn page(&self, provider: &Provider) -> Result<[Figure; 2], Trouble> {
        eprintln!("the sign-in page …");
        let mut browser = Browser::new(&provider.site, SCHOOL);
        let page = browser.sign_in_page().await?;
        let mut parts = vec![("page".to_owned(), page.bytes)];
        let links = page
            .body
            .split('"')
            .filter(|link| link.starts_with("/static/"));
        for link in links {
            parts.push((link.to_owned(), browser.get(link).await?.bytes));
        }
        let what = (Act::OpensPage, AGAIN_AT_ONCE);
        let all = closed(provider, &self.turn, what, self.window / 2).await?;
        let bytes: usize = parts.iter().map(|(_, bytes)| bytes).sum();
        let requests = parts.len();
        Ok([
            Figure {
                name: "sign-in page on the wire, headers and all parts",
                value: count(bytes) / 1000.0,
                unit: "kB",
                goal: Goal::AtMost(14.0),
                evidence: parts
                    .into_iter()
                    .map(|(part, bytes)| (part, Value::from(bytes)))
                    .collect(),
            },
            Figure {
                name: "requests for it",
                value: count(requests),
                unit: "",
                goal: Goal::AtMost(2.0),
                evidence: json!({
                    "cpu_us_of_the_page": rounded(each_ms(all.cpu.all(), all.flows) * 1000.0),
                }),
            },
        ])
    }

    /// 1 and 2: sign-ins against the floor, and all that is not the hash.
    async fn sign_ins(&self, provider: &Provider) -> Result<SignIns, Trouble> {
        eprintln!("sign-ins and raw Argon2id, in turns …");
        let (mut floor, mut all) = (Raw::default(), Closed::default());
        let what = (Act::SignIn, AT_ONCE);
        for _ in 0..ROUNDS {
            let (cores, window) = (self.cores, self.window);
            floor.add(tokio::task::spawn_blocking(move || raw::hash(cores, window)).await??);
            all.add(closed(provider, &self.turn, what, self.window).await?);
        }
        let alone = closed(provider, &self.turn, (Act::SignIn, 1), self.window).await?;
        let share = self.share(floor, all);
        let rest = Figure {
            name: "CPU of everything else in a sign-in, durable and audited",
            value: each_ms(all.cpu.rest, all.flows),
            unit: "ms",
            goal: Goal::AtMost(1.0),
            evidence: json!({
                "ms_if_one_person_signs_in_at_a_time": rounded(each_ms(alone.cpu.rest, alone.flows)),
                "ms_by_cpu_of_all_threads_less_a_raw_hash":
                    rounded(each_ms(all.cpu.all(), all.flows) - floor.cpu_ms()),
                "kib_written_per_sign_in":
                    rounded(crate::as_float(all.written.disk) / 1024.0 / crate::as_float(all.flows)),
                "driver_cpu_ms": rounded(each_ms(all.driver, all.flows)),
                "how": "CPU time of all threads of the provider but those that hash",
            }),
        };
        Ok(SignIns {
            figures: [share, rest],
            noise: all.noise(),
            pace: Pace {
                per_left: crate::as_float(all.flows) / all.left(self.cores),
                per_second: all.per_second(),
            },
        })
    }

    /// What of the machine became sign-ins. Others take more of it in one window than in the next, so
    /// the floor is what the core-seconds that they left could have hashed.
    fn share(&self, floor: Raw, all: Closed) -> Figure {
        let could = all.left(self.cores) * 1000.0 / floor.cpu_ms();
        Figure {
            name: "password sign-ins per second / raw Argon2id rate",
            value: crate::as_float(all.flows) / could,
            unit: "",
            goal: Goal::AtLeast(0.9),
            evidence: json!({
                "argon2id": "19456 KiB, 2 passes, 1 lane, memory kept mapped",
                "at_once": AT_ONCE,
                "by_cpu_time_alone": rounded(floor.cpu_ms() / each_ms(all.cpu.all(), all.flows)),
                "by_wall_clock_alone": rounded(all.per_second() / floor.per_second()),
                "cores_idle": rounded(
                    (all.left(self.cores) - all.cpu.all().as_secs_f64()) / all.took.as_secs_f64()
                ),
                "cores_used_by_others": rounded(all.noise()),
                "hash_cpu_ms_in_the_provider": rounded(each_ms(all.cpu.hashing, all.flows)),
                "hash_cpu_ms_raw": rounded(floor.cpu_ms()),
                "raw_hashes": floor.done,
                "raw_seconds": rounded(floor.took.as_secs_f64()),
                "sign_in_seconds": rounded(all.took.as_secs_f64()),
                "sign_ins": all.flows,
            }),
        }
    }

    /// 3: a session opens one application after the other; the floor is the least that the same server answers.
    async fn again(&self, provider: &Provider) -> Result<[Figure; 2], Trouble> {
        eprintln!("sign-ins with a session …");
        let what = (Act::ComesAgain, AGAIN_AT_ONCE);
        let (mut floor, mut all) = (Closed::default(), Closed::default());
        for _ in 0..ROUNDS {
            let window = self.window / 2;
            floor.add(life(provider, AGAIN_AT_ONCE, window / 2).await?);
            all.add(closed(provider, &self.turn, what, window).await?);
        }
        let us = |all: &Closed| each_ms(all.cpu.all(), all.flows) * 1000.0;
        Ok([
            Figure {
                name: "sign-ins with a session (SSO) per core-second",
                value: crate::ratio(all.flows, all.cpu.all()),
                unit: "/core-s",
                goal: Goal::AtLeast(10_000.0),
                evidence: json!({
                    "cpu_us": rounded(us(&all)),
                    "flows": all.flows,
                    "floor_cpu_us": rounded(us(&floor)),
                    "cores_used_by_others": rounded(all.noise()),
                }),
            },
            Figure {
                name: "sign-ins with a session (SSO) / floor",
                value: us(&floor) / us(&all),
                unit: "",
                goal: Goal::None,
                evidence: json!({}),
            },
        ])
    }

    /// 6: more people than the machine can hash for.
    async fn rush(
        &self,
        provider: &Provider,
        usual: Pace,
        times: f64,
    ) -> Result<Vec<Figure>, Trouble> {
        eprintln!("a rush of {times} times what the machine can do …");
        let before = provider.memory_kib()?;
        let (stop, stopped) = watch::channel(false);
        let working = tokio::spawn(probe::work(
            Arc::clone(&provider.site),
            self.turn.next(),
            stopped,
        ));
        sleep(Duration::from_secs(1)).await;
        let (settling, window) = (self.window / 2, self.window * 2);
        let cpu = provider.cpu()?;
        let rush = open(
            provider,
            &self.turn,
            usual.per_second * times,
            (settling, window),
        )
        .await?;
        let cpu = provider.cpu()?.since(cpu);
        stop.send_replace(true);
        let met = working.await??;
        let grown = crate::as_float(provider.memory_kib()?.saturating_sub(before)) / 1024.0;
        let names = names(times);
        let evidence = self.evidence_of(&rush, &met, usual.per_second, cpu);
        let figure = |name, value, unit, goal| Figure {
            name,
            value,
            unit,
            goal,
            evidence: json!({}),
        };
        Ok(vec![
            Figure {
                evidence,
                ..figure(
                    names[0],
                    rush.per_left(self.cores) / usual.per_left,
                    "",
                    Goal::AtLeast(0.95),
                )
            },
            figure(
                names[1],
                ms(percentile(&rush.told_in, 50)),
                "ms (median)",
                Goal::AtMost(50.0),
            ),
            figure(
                names[2],
                count(rush.failed.len() + met.failed.len()),
                "failures",
                Goal::AtMost(0.0),
            ),
            figure(names[3], grown, "MiB", Goal::AtMost(16.0)),
        ])
    }

    fn evidence_of(&self, rush: &Open, met: &probe::Met, capacity: f64, cpu: Cpu) -> Value {
        let mut failed: Vec<_> = rush.failed.iter().chain(&met.failed).collect();
        failed.dedup();
        failed.truncate(5);
        let all = (self.window * 5 / 2).as_secs_f64();
        json!({
            "arrived": rush.arrived,
            "capacity_per_s": rounded(capacity),
            "cores_used_by_others_and_the_driver": rounded(rush.noise()),
            "failed": failed,
            "left_after_10_s": rush.left,
            "ms_of_others_at_work_p50": rounded(ms(percentile(&met.took, 50))),
            "ms_of_others_at_work_p99": rounded(ms(percentile(&met.took, 99))),
            "signed_in": rush.done,
            "told_to_wait": rush.told_in.len(),
            "told_to_wait_ms_p50": rounded(ms(percentile(&rush.told_in, 50))),
            "told_to_wait_ms_p95": rounded(ms(percentile(&rush.told_in, 95))),
            "told_to_wait_ms_p99": rounded(ms(percentile(&rush.told_in, 99))),
            "cores_used_for_all_but_hashing": rounded(cpu.rest.as_secs_f64() / all),
            "cores_used_for_hashing": rounded(cpu.hashing.as_secs_f64() / all),
        })
    }

    /// 7: a class behind one address.
    async fn class(&self, provider: &Provider) -> Result<Figure, Trouble> {
        eprintln!("a class behind one address …");
        let class = class(&provider.site, &self.turn, (PUPILS, WRONG_EVERY), 25.0).await?;
        Ok(Figure {
            name: "a class of 300 behind one address, 5 % typing errors",
            value: count(class.refused),
            unit: "refused",
            goal: Goal::AtMost(0.0),
            evidence: json!({ "entered": class.entered, "mistyped_at_first": class.mistakes }),
        })
    }
}

fn names(times: f64) -> [&'static str; 4] {
    match times > 3.0 {
        false => [
            "2x rush: sign-ins / capacity",
            "2x rush: until the page that says how long to wait",
            "2x rush: failures, of sessions at work as well",
            "2x rush: growth of memory",
        ],
        true => [
            "5x rush: sign-ins / capacity",
            "5x rush: until the page that says how long to wait",
            "5x rush: failures, of sessions at work as well",
            "5x rush: growth of memory",
        ],
    }
}

fn count(of: usize) -> f64 {
    crate::as_float(u64::try_from(of).unwrap_or(u64::MAX))
}

pub(crate) fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Of sorted times, the one that so many in a hundred do not exceed.
pub(crate) fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let at = sorted.len().saturating_mul(percent) / 100;
    let last = sorted.len().saturating_sub(1);
    sorted.get(at.min(last)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::percentile;

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let times: Vec<_> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(percentile(&times, 50), Duration::from_millis(51));
        assert_eq!(percentile(&times, 99), Duration::from_millis(100));
        assert_eq!(percentile(&[], 99), Duration::ZERO);
    }
}
