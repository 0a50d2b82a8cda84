package org.pushbridge.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.pushbridge.call.Call;
import org.pushbridge.call.CallAction;
import org.pushbridge.call.CallEvent;
import org.pushbridge.call.CallId;
import org.pushbridge.call.CallPlan;
import org.pushbridge.call.CallPlan.Candidate;
import org.pushbridge.call.CallPlan.Reach;
import org.pushbridge.call.Content;
import org.pushbridge.call.Ending;
import org.pushbridge.call.LegDialog;
import org.pushbridge.call.LegId;
import org.pushbridge.call.Pushes;

class CallEngineTest {
    private static final LegId PHONE = new LegId("0123456789abcdef");

    private CallEngine<RecordingEdge> engine = new CallEngine<>(new EngineSettings(2, 100, 3));

    @AfterEach
    void stop() {
        engine.close();
    }

    @Test
    void aParkedCallIsPushedOnceAndEndedByItsRingLimit() {
        RunningCall<RecordingEdge> call = begin(plan(Duration.ofMillis(50)));

        await().until(() -> call.edge().ending.isPresent());

        assertThat(call.edge().ending).contains(new Ending(Ending.Cause.RING_LIMIT, 480));
        assertThat(call.edge().did).containsOnlyOnce("push");
        assertThat(call.edge().did).contains("respond 182", "respond 480");
    }

    @Test
    void whenNoCallIsAliveNoKeyPointsToOne() {
        RunningCall<RecordingEdge> call = begin(plan(Duration.ofMillis(50)));
        call.submit(() -> {
            call.claimDialog("a@b");
            call.claimAor("sip:alice@example.com");
        });
        await().until(() -> call.edge().ending.isPresent());

        assertThat(engine.alive()).isZero();
        assertThat(engine.keys()).isZero();
        assertThat(engine.byDialog("a@b")).isEmpty();
        assertThat(engine.byAor("sip:alice@example.com")).isEmpty();
    }

    @Test
    void aCallIsFoundByDialogAndByAddressWhileItIsAlive() {
        RunningCall<RecordingEdge> one = begin(plan(Duration.ofMinutes(1)));
        RunningCall<RecordingEdge> other = begin(plan(Duration.ofMinutes(1)));
        for (RunningCall<RecordingEdge> call : List.of(one, other)) {
            call.submit(() -> {
                call.claimDialog(call.id().toString());
                call.claimAor("sip:alice@example.com");
            });
        }

        await().until(() -> engine.byAor("sip:alice@example.com").size() == 2);
        assertThat(engine.byDialog(one.id().toString())).contains(one);
        assertThat(engine.byDialog(other.id().toString())).contains(other);
    }

    @Test
    void moreCallsThanAllowedAreRefused() {
        for (int i = 0; i < 3; i++) {
            begin(plan(Duration.ofMinutes(1)));
        }

        assertThat(engine.begin(plan(Duration.ofMinutes(1)), RecordingEdge::new))
                .isEmpty();
        assertThat(engine.alive()).isEqualTo(3);
    }

    @Test
    void aFullMailboxRefusesWorkFromOutsideButTakesWhatCallsOweThemselves() throws InterruptedException {
        engine.close();
        engine = new CallEngine<>(new EngineSettings(1, 2, 3));
        RunningCall<RecordingEdge> call = begin(plan(Duration.ofMinutes(1)));
        await().until(() -> call.edge().did.contains("begun"));
        CountDownLatch busy = new CountDownLatch(1);
        CountDownLatch free = new CountDownLatch(1);
        call.submit(() -> {
            busy.countDown();
            awaitQuietly(free);
        });
        busy.await();
        List<String> done = Collections.synchronizedList(new ArrayList<>());

        assertThat(call.offer(() -> done.add("first"))).isTrue();
        assertThat(call.offer(() -> done.add("second"))).isTrue();
        assertThat(call.offer(() -> done.add("refused"))).isFalse();
        call.submit(() -> done.add("owed"));
        free.countDown();

        await().untilAsserted(() -> assertThat(done).containsExactly("first", "second", "owed"));
    }

    @Test
    void aCallIsFoundOnlyOnceItsEdgeIsThere() {
        List<Integer> foundWhileMade = new ArrayList<>();
        RunningCall<RecordingEdge> call = engine.begin(plan(Duration.ofMinutes(1)), made -> {
                    made.claimAor("sip:alice@example.com");
                    made.claimDialog("tag");
                    foundWhileMade.add(engine.byAor("sip:alice@example.com").size());
                    foundWhileMade.add(engine.byDialog("tag").isPresent() ? 1 : 0);
                    return new RecordingEdge(made);
                })
                .orElseThrow();

        assertThat(foundWhileMade).containsExactly(0, 0);
        assertThat(engine.byAor("sip:alice@example.com")).containsExactly(call);
        assertThat(engine.byDialog("tag")).contains(call);
    }

    @Test
    void aFaultEndsItsCallAndNoOther() {
        RunningCall<RecordingEdge> broken = begin(plan(Duration.ofMinutes(1)));
        RunningCall<RecordingEdge> sound = begin(plan(Duration.ofMinutes(1)));

        broken.submit(() -> {
            throw new IllegalStateException("planted");
        });

        await().until(() -> broken.edge().broken);
        assertThat(engine.alive()).isEqualTo(1);
        sound.submit(() -> sound.on(new CallEvent.CallerCancelled()));
        await().until(() -> sound.edge().ending.isPresent());
        assertThat(engine.alive()).isZero();
    }

    @Test
    void aCallThatIsAnsweredCountsAsUnansweredUntilItsCallerHasBeenTold() {
        RunningCall<RecordingEdge> call = begin(plan(Duration.ofMinutes(1)));
        call.submit(() -> call.on(new CallEvent.DeviceRegistered(PHONE, Pushes.USUAL)));
        await().until(() -> call.edge().did.contains("invite"));
        call.edge().slow = true;
        int written = call.edge().writes.size();

        LegDialog dialog = new LegDialog(PHONE, "tag");
        call.submit(() -> call.on(new CallEvent.Answered(dialog, 1, 200, new Content() {})));

        await().until(() -> call.edge().writes.size() > written);
        assertThat(call.edge().did).doesNotContain("answer");
        assertThat(engine.unanswered()).isEqualTo(1);
        call.edge().writes.forEach(write -> write.complete(null));
        await().until(() -> engine.unanswered() == 0);
        assertThat(call.edge().did).contains("answer");
    }

    @Test
    void delayedWorkOfACallThatIsOverIsNotDone() {
        RunningCall<RecordingEdge> call = begin(plan(Duration.ofMinutes(1)));
        List<String> done = Collections.synchronizedList(new ArrayList<>());
        call.submit(() -> {
            call.after(Duration.ofMillis(50), () -> done.add("too late"));
            call.on(new CallEvent.CallerCancelled());
        });
        RunningCall<RecordingEdge> later = begin(plan(Duration.ofMinutes(1)));
        later.submit(() -> later.after(Duration.ofMillis(200), () -> done.add("in time")));

        await().untilAsserted(() -> assertThat(done).containsExactly("in time"));
    }

    private RunningCall<RecordingEdge> begin(CallPlan plan) {
        return engine.begin(plan, RecordingEdge::new).orElseThrow();
    }

    private static CallPlan plan(Duration ringLimit) {
        return new CallPlan(
                CallId.random(),
                Optional.empty(),
                List.of(new Candidate(PHONE, Reach.ASLEEP, Pushes.USUAL)),
                ringLimit,
                Duration.ofSeconds(1),
                Duration.ofHours(1),
                Duration.ofSeconds(30),
                182,
                Set.of(603));
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Notes what it was asked for; the rules have tests of their own. */
    private static final class RecordingEdge implements CallEdge {
        final List<String> did = Collections.synchronizedList(new ArrayList<>());
        volatile Optional<Ending> ending = Optional.empty();
        volatile boolean broken;
        volatile boolean slow;
        final List<CompletableFuture<Void>> writes = Collections.synchronizedList(new ArrayList<>());

        RecordingEdge(RunningCall<RecordingEdge> call) {
            did.add("made for " + call.id());
        }

        @Override
        public CompletionStage<Void> remember(Call memory, List<CallAction> actions, boolean awaited) {
            CompletableFuture<Void> written = new CompletableFuture<>();
            writes.add(written);
            if (!slow) {
                written.complete(null);
            }
            return written;
        }

        @Override
        public void begun() {
            did.add("begun");
        }

        @Override
        public void notBegun() {
            did.add("not begun");
        }

        @Override
        public void respondToCaller(CallAction.RespondToCaller action) {
            did.add("respond " + action.status());
        }

        @Override
        public void answerCaller(CallAction.AnswerCaller action) {
            did.add("answer");
        }

        @Override
        public void answerAgain(CallAction.AnswerAgain action) {
            did.add("answer again");
        }

        @Override
        public void invite(CallAction.Invite action) {
            did.add("invite");
        }

        @Override
        public void cancel(CallAction.Cancel action) {
            did.add("cancel");
        }

        @Override
        public void acknowledge(CallAction.Acknowledge action) {
            did.add("acknowledge");
        }

        @Override
        public void bye(CallAction.Bye action) {
            did.add("bye");
        }

        @Override
        public void forward(CallAction.Forward action) {
            did.add("forward");
        }

        @Override
        public void reply(CallAction.Reply action) {
            did.add("reply");
        }

        @Override
        public void acknowledgeExchange(CallAction.AcknowledgeExchange action) {
            did.add("acknowledge exchange");
        }

        @Override
        public void cancelExchange(CallAction.CancelExchange action) {
            did.add("cancel exchange");
        }

        @Override
        public void push(CallAction.Push action) {
            did.add("push");
        }

        @Override
        public void alertMissedCall(CallAction.AlertMissedCall action) {
            did.add("alert");
        }

        @Override
        public void bury(CallAction.Bury action) {
            did.add("bury");
        }

        @Override
        public void pushEnd(CallAction.PushEnd action) {
            did.add("push end");
        }

        @Override
        public void pushForRequest(CallAction.PushForRequest action) {
            did.add("push for request");
        }

        @Override
        public void cancelAgain(CallAction.CancelAgain action) {
            did.add("cancel again");
        }

        @Override
        public void repeatFinal(CallAction.RepeatFinal action) {
            did.add("repeat final");
        }

        @Override
        public void finished(Call call, Ending how) {
            ending = Optional.of(how);
        }

        @Override
        public void broken() {
            broken = true;
        }
    }
}
