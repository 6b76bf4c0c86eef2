//! The play: nodes, people and their browsers on one stage, and the one way in which anything is asked.

use axum::body::Body;
use http::Request;
use server::Peer;
use store::AnyStore;
use tokio::runtime::Runtime;
use tower::ServiceExt;

use super::Lie;
use super::browser::{Browser, Whose};
use super::fate::Fate;
use super::ledger::{Broken, Kept, Ledger};
use super::nodes::{Ground, Life, Node, ORIGIN};
use super::people::{self, Somebody};
use super::post::Post;
use super::tale::Tale;
use super::turns::{Next, Runner, race};
use crate::memory::{self, must};
use crate::{Answer, Attempt};

/// So many nodes die of a thousand turns.
const DEATHS: usize = 2;

/// How often of a thousand the same one goes on: drawn for each race.
const PATIENCE: [usize; 4] = [0, 600, 900, 970];

/// Everything that plays together.
pub(super) struct Play {
    pub(super) browsers: Vec<Browser>,
    pub(super) ground: Ground,
    pub(super) ledger: Ledger,
    pub(super) nodes: Vec<Node>,
    pub(super) people: Vec<Somebody>,
    pub(super) requests: u64,
    pub(super) runtime: Runtime,
    began: i64,
    pub(super) tale: Tale,
}

/// Something that is done at the same time as others.
pub(super) enum Task {
    /// A browser, or an application without one, asks a node.
    Ask(Option<usize>, Attempt),
    /// A node sends what is due.
    Deliver,
    /// The desk switches a person off or on.
    Switch(usize, bool),
}

/// What became of it; none if its node died.
pub(super) enum Done {
    Answer(Answer),
    Delivered,
    Switched(bool),
}

impl Play {
    /// A canton of so many nodes and people, with nothing failing yet.
    pub(super) fn begins((seed, lie): (u64, Option<Lie>), nodes: usize, count: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = must("start the runtime", runtime);
        let fate = Fate::new(seed, nodes);
        let keys = memory::keys();
        let engine = store::sqlite::Sqlite::open_in_memory(keys.clone());
        let store: AnyStore = std::sync::Arc::new(must("open a store", engine));
        let post = Post::new(&fate);
        let began = fate.now();
        let ground = Ground {
            fate,
            keys,
            lie,
            post,
            store,
        };
        let mut nodes: Vec<Node> = (0..nodes).map(Node::new).collect();
        let people = runtime.block_on(async {
            memory::configure_valais(&ground.store).await;
            for node in &mut nodes {
                node.starts(&ground).await;
            }
            people::move_in(&ground, count).await
        });
        let owners = 0..count;
        let browsers = owners.flat_map(|owner| Whose::ALL.map(|whose| Browser::new(owner, whose)));
        Self {
            browsers: browsers.collect(),
            ledger: Ledger::default(),
            nodes,
            requests: 0,
            runtime,
            began,
            tale: Tale::of(count),
            ground,
            people,
        }
    }

    pub(super) fn fate(&self) -> &Fate {
        &self.ground.fate
    }

    pub(super) fn now(&self) -> i64 {
        self.fate().now()
    }

    pub(super) fn passes(&self, seconds: i64) {
        self.fate().passes(seconds);
    }

    /// A number below `end`.
    pub(super) fn draws(&self, end: usize) -> usize {
        self.fate().throws(|dice| dice.below(end))
    }

    pub(super) fn happens(&self, of_a_thousand: usize) -> bool {
        self.fate().throws(|dice| dice.happens(of_a_thousand))
    }

    /// The browser of somebody.
    pub(super) fn browser_of(&self, person: usize, whose: Whose) -> usize {
        let at = Whose::ALL.iter().position(|one| *one == whose);
        person * Whose::ALL.len() + at.unwrap_or_default()
    }

    pub(super) fn tells(&mut self, person: usize, sentence: &str) {
        let at = self.now().saturating_sub(self.began);
        self.tale.tells((person, at), sentence);
    }

    /// What somebody did in a browser, and how it was answered.
    pub(super) fn tells_of(&mut self, browser: usize, what: &str, answer: Option<&Answer>) {
        let Browser { owner, whose, .. } = &self.browsers[browser];
        let (owner, whose) = (*owner, whose.name());
        let sentence = match answer {
            None => format!("{whose}: {what}, and has no answer"),
            Some(answer) => format!("{whose}: {what}: {}", answer.status),
        };
        self.tells(owner, &sentence);
    }

    /// How long the play lasts so far, in seconds.
    pub(super) fn lasts(&self) -> i64 {
        self.now().saturating_sub(self.began)
    }

    /// One request of a browser.
    pub(super) fn asks(&mut self, browser: usize, attempt: Attempt) -> Kept<Option<Answer>> {
        let answers = self.all_ask(vec![(Some(browser), attempt)])?;
        Ok(answers.into_iter().next().flatten())
    }

    /// Requests at the same time; the answers in their order, none where a node died.
    pub(super) fn all_ask(
        &mut self,
        calls: Vec<(Option<usize>, Attempt)>,
    ) -> Kept<Vec<Option<Answer>>> {
        let tasks = calls
            .into_iter()
            .map(|(browser, attempt)| Task::Ask(browser, attempt));
        let mut tasks: Vec<Task> = tasks.collect();
        let asked = tasks.len();
        if self.happens(60) {
            tasks.push(Task::Deliver);
        }
        let done = self.does(tasks)?;
        let answers = done.into_iter().take(asked).map(|done| match done {
            Some(Done::Answer(answer)) => Some(answer),
            _ => None,
        });
        Ok(answers.collect())
    }

    /// Does things at the same time.
    pub(super) fn does(&mut self, tasks: Vec<Task>) -> Kept<Vec<Option<Done>>> {
        let browsers: Vec<Option<usize>> = tasks.iter().map(asker).collect();
        let mut done: Vec<Option<Done>> = tasks.iter().map(|_| None).collect();
        let mut runners = Vec::new();
        let mut numbers = Vec::new();
        for (number, task) in tasks.into_iter().enumerate() {
            if let Some(runner) = self.runner(task) {
                runners.push(runner);
                numbers.push(number);
            }
        }
        let fate = std::sync::Arc::clone(&self.ground.fate);
        let mut dead = Vec::new();
        // Some races change places all the time; in others one is far ahead before the next begins.
        let patience = PATIENCE[self.draws(PATIENCE.len())];
        let choose = |nodes: &[usize], last: Option<usize>| {
            let last = last.filter(|_| fate.throws(|dice| dice.happens(patience)));
            let which = last.unwrap_or_else(|| fate.throws(|dice| dice.below(nodes.len())));
            let node = nodes[which];
            // The last number is the desk's, which is a command and no node.
            if node < usize::MAX && !fate.is_over() && fate.throws(|dice| dice.happens(DEATHS)) {
                fate.counts("nodes killed");
                dead.push(node);
                return Next::Dies(node);
            }
            Next::GoesOn(which)
        };
        let ends = self.runtime.block_on(race(runners, choose));
        for node in dead {
            self.nodes[node].dies();
        }
        for (number, end) in numbers.into_iter().zip(ends) {
            done[number] = end;
        }
        self.takes_in(&browsers, &done)?;
        Ok(done)
    }

    /// The task on its node; none if no node is there for it.
    fn runner(&mut self, task: Task) -> Option<Runner<'static, Done>> {
        if let Task::Switch(person, off) = task {
            let desk = self.ground.wire(self.nodes.len());
            let (id, by) = (self.people[person].id, people::by(&self.ground));
            let work = async move { Done::Switched(desk.disable(id, off, &by).await.is_ok()) };
            return Some(Runner {
                node: usize::MAX,
                work: Box::pin(work),
            });
        }
        let (node, Life { provider, router }) = self.chooses_a_node()?;
        let Task::Ask(browser, attempt) = task else {
            let work = async move {
                provider.deliver_messages().await;
                Done::Delivered
            };
            return Some(Runner {
                node,
                work: Box::pin(work),
            });
        };
        self.requests += 1;
        let request = self.request(browser, &attempt);
        let work = async move {
            match router.oneshot(request).await {
                Ok(response) => Done::Answer(memory::answer(response).await),
                Err(never) => match never {},
            }
        };
        Some(Runner {
            node,
            work: Box::pin(work),
        })
    }

    fn chooses_a_node(&self) -> Option<(usize, Life)> {
        let nodes = self.nodes.iter().enumerate();
        let alive = nodes.filter_map(|(number, node)| Some((number, node.life()?)));
        let alive: Vec<(usize, &Life)> = alive.collect();
        let (number, life) = alive.get(self.draws(alive.len()))?;
        Some((*number, (*life).clone()))
    }

    fn request(&self, browser: Option<usize>, attempt: &Attempt) -> Request<Body> {
        let path = attempt.url.strip_prefix(ORIGIN).unwrap_or("/");
        let mut request = Request::builder()
            .method(attempt.method.as_str())
            .uri(path)
            .header("host", "localhost:8400")
            .header("accept-language", "fr-CH");
        for (name, value) in &attempt.headers {
            request = request.header(name, value);
        }
        let browser = browser.map(|browser| &self.browsers[browser]);
        let address = browser.map_or([192, 0, 2, 250], Browser::address);
        let cookies = browser.map(|browser| browser.jar.for_path(path, self.now()));
        let pairs = cookies.unwrap_or_default();
        let pairs: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !pairs.is_empty() {
            request = request.header("cookie", pairs.join("; "));
        }
        let request = request.extension(Peer(address.into()));
        must(
            "make a request",
            request.body(Body::from(attempt.body.clone())),
        )
    }

    /// Browsers keep their cookies; a thief must never get one of a session.
    fn takes_in(&mut self, browsers: &[Option<usize>], done: &[Option<Done>]) -> Kept {
        let now = self.now();
        for (browser, done) in browsers.iter().zip(done) {
            let (Some(browser), Some(Done::Answer(answer))) = (browser, done) else {
                continue;
            };
            let browser = &mut self.browsers[*browser];
            let lines = answer
                .headers
                .iter()
                .filter(|(name, _)| name == "set-cookie");
            for (_, line) in lines {
                browser.jar.keep(line, now);
            }
            if browser.whose == Whose::Thief && answer.signs_somebody_in() {
                return Err(Broken(
                    "somebody with a stolen password was let in".to_owned(),
                ));
            }
        }
        Ok(())
    }
}

fn asker(task: &Task) -> Option<usize> {
    match task {
        Task::Ask(browser, _) => *browser,
        Task::Deliver | Task::Switch(..) => None,
    }
}
