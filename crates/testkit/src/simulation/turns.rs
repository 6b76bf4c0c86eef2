//! Requests at the same time, and yet in an order that a seed repeats: one goes on until it is about
//! to ask the store or has its answer; then dice say who goes on next.
//!
//! Threads of the parts, such as the one that writes and those that hash, are real. Whoever waits for one
//! of them keeps its turn, so that their speed decides nothing.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// Something that takes its turns, and the node on which it does.
pub(super) struct Runner<'a, T> {
    pub(super) node: usize,
    pub(super) work: Pin<Box<dyn Future<Output = T> + 'a>>,
}

/// What happens next.
#[derive(Clone, Copy, Debug)]
pub(super) enum Next {
    /// This one of those that wait goes on.
    GoesOn(usize),
    /// This node dies, with all that runs on it.
    Dies(usize),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Turn {
    /// Nobody takes turns: what asks here is a task of its own.
    Nobodys,
    Taken,
    Over,
}

thread_local! {
    static TURN: Cell<Turn> = const { Cell::new(Turn::Nobodys) };
}

/// Where a turn ends: others may go first. Does nothing outside a [`race`].
pub(super) async fn gate() {
    let mut was_here = false;
    poll_fn(|_| {
        if was_here || TURN.get() == Turn::Nobodys {
            return Poll::Ready(());
        }
        was_here = true;
        TURN.set(Turn::Over);
        Poll::Pending
    })
    .await;
}

/// Runs all to their end, turn by turn; none for those whose node died. `choose` is given the nodes of
/// those that wait, and which of them went last.
pub(super) async fn race<T>(
    runners: Vec<Runner<'_, T>>,
    mut choose: impl FnMut(&[usize], Option<usize>) -> Next,
) -> Vec<Option<T>> {
    let mut done: Vec<Option<T>> = runners.iter().map(|_| None).collect();
    let mut waiting: Vec<(usize, Runner<'_, T>)> = runners.into_iter().enumerate().collect();
    let (mut current, mut last) = (None, None);
    poll_fn(|context| {
        loop {
            if waiting.is_empty() {
                return Poll::Ready(());
            }
            if current.is_none() {
                let nodes: Vec<usize> = waiting.iter().map(|(_, runner)| runner.node).collect();
                let went = waiting.iter().position(|(number, _)| Some(*number) == last);
                match choose(&nodes, went) {
                    Next::GoesOn(which) => current = Some(which.min(nodes.len() - 1)),
                    Next::Dies(node) => waiting.retain(|(_, runner)| runner.node != node),
                }
                continue;
            }
            let at = current.unwrap_or_default();
            let (number, runner) = &mut waiting[at];
            last = Some(*number);
            TURN.set(Turn::Taken);
            let polled = runner.work.as_mut().poll(context);
            match (polled, TURN.replace(Turn::Nobodys)) {
                (Poll::Ready(result), _) => {
                    done[*number] = Some(result);
                    waiting.remove(at);
                    current = None;
                }
                (Poll::Pending, Turn::Over) => current = None,
                (Poll::Pending, _) => return Poll::Pending,
            }
        }
    })
    .await;
    done
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::{Next, Runner, gate, race};

    async fn steps(name: &str, told: &RefCell<Vec<String>>) {
        for step in 0..2 {
            told.borrow_mut().push(format!("{name}{step}"));
            gate().await;
        }
    }

    fn told(choose: impl FnMut(&[usize], Option<usize>) -> Next) -> (Vec<String>, Vec<Option<()>>) {
        let told = RefCell::default();
        let runner = |node, name| Runner {
            node,
            work: Box::pin(steps(name, &told)),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let ends = runtime.block_on(race(vec![runner(0, "a"), runner(1, "b")], choose));
        (told.into_inner(), ends)
    }

    #[test]
    fn those_who_wait_go_on_in_the_order_that_was_chosen() {
        let (told, ends) = told(|nodes, _| Next::GoesOn(nodes.len() - 1));
        assert_eq!(told, ["b0", "b1", "a0", "a1"]);
        assert_eq!(ends, [Some(()), Some(())]);
    }

    #[test]
    fn whoever_runs_on_a_node_that_dies_has_no_answer() {
        let mut turns = 0;
        let (told, ends) = told(|_, _| {
            turns += 1;
            match turns {
                2 => Next::Dies(0),
                _ => Next::GoesOn(0),
            }
        });
        assert_eq!(told, ["a0", "b0", "b1"]);
        assert_eq!(ends, [None, Some(())]);
    }
}
