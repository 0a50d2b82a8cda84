package org.pushbridge.sim.apns;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** Decides on requests: judges them, lets faults strike, files them, and hands accepted pushes on. Thread-safe. */
final class ApnsService {
    private final SimulatedApnsSettings settings;
    private final ProviderTokens providerTokens;
    private final PushLedger ledger;
    private final DeviceTokens deviceTokens;
    private final Faults faults;
    private final Random random;
    private volatile int maxConcurrentStreams;

    /**
     * What is to be done with a request.
     *
     * @param apnsId to answer with
     * @param answer to give, unless the ending keeps it back
     * @param delay before the answer
     * @param ending what becomes of the request
     */
    record Decision(String apnsId, Answer answer, Duration delay, Fault.Ending ending) {}

    ApnsService(SimulatedApnsSettings settings, PushLedger ledger, DeviceTokens deviceTokens, Faults faults) {
        this.settings = settings;
        this.providerTokens = new ProviderTokens(settings);
        this.ledger = ledger;
        this.deviceTokens = deviceTokens;
        this.faults = faults;
        this.random = new Random(settings.seed());
        this.maxConcurrentStreams = settings.maxConcurrentStreams();
    }

    SimulatedApnsSettings settings() {
        return settings;
    }

    int maxConcurrentStreams() {
        return maxConcurrentStreams;
    }

    void setMaxConcurrentStreams(int streams) {
        maxConcurrentStreams = streams;
    }

    PushLedger ledger() {
        return ledger;
    }

    Decision decide(ApnsRequest request) {
        RequestExam exam = new RequestExam(settings, providerTokens, deviceTokens, request);
        Optional<Answer.Rejected> refusal = exam.judge();
        Optional<Fault> fault = faults.strike(exam.token(), exam.bundleId(), exam.pushType());
        boolean processed = fault.map(Fault::processes).orElse(true);
        Answer answer = refusal.<Answer>map(rejection -> rejection).orElseGet(Answer.Accepted::new);
        if (fault.isPresent()) {
            answer = fault.get().instead().<Answer>map(rejection -> rejection).orElse(answer);
            answer = withheld(fault.get().ending()).orElse(answer);
        }
        List<String> crossViolations = ledger.crossCheck(
                request.environment(), exam.apnsId(), exam.topic(), exam.token(), exam.pushType(), exam.callId());
        if (answer instanceof Answer.Rejected rejection && rejection.reason().equals("ExpiredProviderToken")) {
            request.session().expired();
        }
        ledger.file(exam.filed(answer, crossViolations), processed);
        if (processed && refusal.isEmpty()) {
            deviceTokens.accept(exam.delivery(), exam.expiration());
        }
        return new Decision(
                exam.apnsId(),
                answer,
                fault.map(Fault::delay).orElse(Duration.ZERO).plus(drawAnswerDelay()),
                fault.map(Fault::ending).orElse(Fault.Ending.ANSWERED));
    }

    private static Optional<Answer> withheld(Fault.Ending ending) {
        return switch (ending) {
            case ANSWERED, GOAWAY_AFTER_ANSWER -> Optional.empty();
            case SILENCE -> Optional.of(new Answer.Withheld("never answered"));
            case REFUSED_STREAM -> Optional.of(new Answer.Withheld("REFUSED_STREAM"));
            case GOAWAY_INSTEAD -> Optional.of(new Answer.Withheld("GOAWAY before it"));
            case GOAWAY_AND_CUT -> Optional.of(new Answer.Withheld("GOAWAY before it, connection cut"));
            case CUT -> Optional.of(new Answer.Withheld("connection cut"));
            case CUT_AFTER_PROCESSING ->
                Optional.of(new Answer.Withheld("processed, connection cut before the answer"));
        };
    }

    private Duration drawAnswerDelay() {
        synchronized (random) {
            return settings.answerDelay().draw(random);
        }
    }
}
