package org.pushbridge.sip;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.Consumer;

/** What has to happen to a {@link TortureMessage}. */
interface TortureOutcome {
    /** Fails unless it happens; the message has been sent. */
    void check(TorturePlay play);

    private static TortureOutcome named(String name, TortureOutcome check) {
        return new TortureOutcome() {
            @Override
            public void check(TorturePlay play) {
                check.check(play);
            }

            @Override
            public String toString() {
                return name;
            }
        };
    }

    /** One final response with this status, which echoes what it has to. */
    static TortureOutcome answered(int status, Consumer<String> more) {
        return named("answered " + status, play -> {
            String answer = play.sender.expect("SIP/2.0 " + status + " ");
            more.accept(answer);
            if (Wire.header(answer, "CSeq").endsWith(" INVITE")) {
                play.acknowledge(answer);
            }
        });
    }

    static TortureOutcome answered(int status) {
        return answered(status, answer -> {});
    }

    /** Refused as malformed, with a Warning that holds these words. */
    static TortureOutcome refused(int status, String warning) {
        return named("refused " + status, play -> {
            String answer = play.sender.expect("SIP/2.0 " + status + " ");
            assertThat(Wire.header(answer, "Warning"))
                    .startsWith("399 pushbridge \"")
                    .contains(warning);
            if (Wire.header(answer, "CSeq").endsWith(" INVITE")) {
                play.acknowledge(answer);
            }
        });
    }

    /** No answer at all, and the next message is answered. */
    static TortureOutcome dropped() {
        return named("dropped", play -> {
            // The probe below is answered first.
        });
    }

    /** The phone gets the INVITE, with all that this asks for; it is busy, and the caller hears that. */
    static TortureOutcome rings(Consumer<String> carried) {
        return named("rings", play -> {
            String invite = play.phone.expect("INVITE ");
            carried.accept(invite);
            play.phone.answer(invite, 486, "");
            play.phone.expect("ACK ");
            play.acknowledge(play.sender.expect("SIP/2.0 486 "));
        });
    }

    /** The phone gets the INVITE with the body unchanged, refuses it, and the caller hears that refusal. */
    static TortureOutcome ringsAndCarriesBody(int refusal) {
        return named("rings, body unchanged, phone's " + refusal + " carried", play -> {
            String invite = play.phone.expect("INVITE ");
            assertThat(Wire.body(invite)).isEqualTo(Wire.body(play.sent));
            play.phone.answer(invite, refusal, "");
            play.phone.expect("ACK ");
            play.acknowledge(play.sender.expect("SIP/2.0 " + refusal + " "));
        });
    }

    /** Challenged, then with the right password accepted. */
    static TortureOutcome registers(Consumer<String> accepted) {
        return registers(200, accepted);
    }

    /** Challenged, then with the right password answered so. */
    static TortureOutcome registers(int status, Consumer<String> answer) {
        return named("challenged, then " + status, play -> {
            String challenge = play.sender.expect("SIP/2.0 401 ");
            play.sender.send(play.sender.withCredentials(play.sent, challenge, "secret"));
            answer.accept(play.sender.expect("SIP/2.0 " + status + " "));
        });
    }

    /** A response that the caller hears of, with this first line. */
    static TortureOutcome heard(String firstLine) {
        return named("the caller hears " + firstLine, play -> {
            String heard = play.caller.expect(firstLine);
            if (firstLine.startsWith("SIP/2.0 200")) {
                Dialogue caller = Dialogue.ofCaller(play.caller, heard);
                caller.send("ACK", Wire.cseq(heard), "");
                play.phone.expect("ACK ");
                caller.send("BYE", "");
                play.phone.answer(play.phone.expect("BYE "), 200, "");
                play.caller.expect("SIP/2.0 200");
            } else {
                play.phoneIsBusy();
            }
        });
    }

    /** A response that is as if it had not come: the next one is the one that counts. */
    static TortureOutcome ignored() {
        return named("dropped", TorturePlay::phoneIsBusy);
    }
}
