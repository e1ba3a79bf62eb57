//! A world with a clock, behind one lock.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::http::Call;
use crate::moment::Moment;
use crate::sqs::Poll;
use crate::world::{Outcome, Settings, World};

/// Where time comes from: tokio's clock, which a test may pause, counted from a fixed moment.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    began: Moment,
    at: Instant,
    speed: u32,
}

impl Clock {
    /// Begins at `began`, now.
    pub fn starting_at(began: Moment) -> Self {
        Self { began, at: Instant::now(), speed: 1 }
    }

    /// Real time.
    pub fn real() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::starting_at(Moment(u64::try_from(now.as_millis()).unwrap_or(u64::MAX)))
    }

    /// So many times faster than tokio's clock.
    #[must_use]
    pub const fn faster(mut self, speed: u32) -> Self {
        self.speed = speed;
        self
    }

    /// The simulated time.
    pub fn now(&self) -> Moment {
        self.began + self.at.elapsed() * self.speed
    }

    /// How long tokio's clock takes until `moment`.
    fn until(&self, moment: Moment) -> Duration {
        moment.since(self.now()) / self.speed + Duration::from_millis(1)
    }
}

/// A world that several clients share. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Sim(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    world: Mutex<World>,
    clock: Clock,
    /// Something was put on the schedule.
    changed: Notify,
    /// A client was told to die.
    crashed: Notify,
    /// A message came into some queue.
    arrived: Notify,
    /// Something waits to be posted to an endpoint.
    to_post: Notify,
}

impl Sim {
    /// An empty world at the clock's time.
    pub fn new(settings: Settings, clock: Clock) -> Self {
        Self::begun(World::new(settings, clock.now()), clock)
    }

    /// A world that began earlier, up to the clock's time.
    pub fn begun(mut world: World, clock: Clock) -> Self {
        world.advance(clock.now());
        let world = Mutex::new(world);
        let [changed, crashed, arrived, to_post] = [(); 4].map(|()| Notify::new());
        Self(Arc::new(Inner { world, clock, changed, crashed, arrived, to_post }))
    }

    /// Looks at the world or changes it, at the present time.
    pub fn with<T>(&self, work: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self.lock();
        let arrivals = world.sqs.arrivals;
        world.advance(self.0.clock.now());
        let due = world.next_event();
        let done = work(&mut world);
        let sooner = world.next_event() != due;
        self.tell(&world, arrivals);
        drop(world);
        // Whoever drives is woken only where it has reason to: most calls are reads.
        if sooner {
            self.0.changed.notify_one();
        }
        done
    }

    /// One call, and what it is willing to wait for.
    fn first_answer(&self, call: &Call) -> (Outcome, Option<Poll>) {
        let (outcome, poll) = self.with(|world| {
            world.sqs.poll = None;
            (world.call(call), world.sqs.poll.take())
        });
        if matches!(outcome, Outcome::Crash) {
            self.0.crashed.notify_one();
        }
        (outcome, poll)
    }

    /// One call; a receive that found nothing waits for messages as long as it said.
    pub(crate) async fn answer(&self, call: &Call) -> Outcome {
        let (outcome, poll) = self.first_answer(call);
        let Some(Poll { until, .. }) = poll.filter(|_| matches!(outcome, Outcome::Answer(..))) else { return outcome };
        loop {
            let arrived = self.0.arrived.notified();
            tokio::pin!(arrived);
            // From here on no arrival is missed.
            arrived.as_mut().enable();
            let (reply, poll) = self.with(|world| (world.undisturbed(call), world.sqs.poll.take()));
            let Some(poll) = poll.filter(|_| self.now() < until) else { return Outcome::Answer(reply, 0) };
            let again = poll.again.map_or(until, |again| again.min(until));
            tokio::select! {
                () = arrived => {}
                () = tokio::time::sleep(self.0.clock.until(again)) => {}
            }
        }
    }

    /// Wakes those who wait for what has happened.
    fn tell(&self, world: &World, arrivals: u64) {
        if world.sqs.arrivals != arrivals {
            self.0.arrived.notify_waiters();
        }
        if world.has_postings() {
            self.0.to_post.notify_one();
        }
    }

    /// Returns when something waits to be posted to an endpoint.
    pub(crate) async fn something_to_post(&self) {
        self.0.to_post.notified().await;
    }

    /// The simulated time.
    pub fn now(&self) -> Moment {
        self.0.clock.now()
    }

    /// Returns when a fault tells the client to die: whoever runs the client drops it then.
    pub async fn crashed(&self) {
        self.0.crashed.notified().await;
    }

    /// Lets things happen when they are due. Runs until it is dropped; without it they happen at the next call.
    pub async fn drive(&self) {
        // Several may drive; a notice wakes one of them, and one that ends hands it on.
        let _baton = Baton(&self.0.changed);
        loop {
            let next = {
                let mut world = self.lock();
                let arrivals = world.sqs.arrivals;
                world.advance(self.0.clock.now());
                self.tell(&world, arrivals);
                world.next_event()
            };
            match next {
                Some(at) => {
                    tokio::select! {
                        () = tokio::time::sleep(self.0.clock.until(at)) => {}
                        () = self.0.changed.notified() => {}
                    }
                }
                None => self.0.changed.notified().await,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        self.0.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes another driver when this one is dropped.
struct Baton<'a>(&'a Notify);

impl Drop for Baton<'_> {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}
