package org.pushbridge.app.demo;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.pushbridge.sim.phone.AppSettings;
import org.pushbridge.sim.phone.CallScreen;
import org.pushbridge.sim.phone.CallScreen.RingingEnd;
import org.pushbridge.sim.phone.SimulatedIphone;
import org.pushbridge.sim.phone.VerdictWay;

/**
 * Measures how long a phone rings in vain that wakes for a dead call: it is in flight mode when it is pushed to, the
 * caller gives up, the push is delivered late, and the phone learns of the end in one of the three ways. Real SIP over
 * TCP, HTTP/2 and HTTPS on loopback; what iOS takes to start the app is left out.
 */
public final class LateWakes {
    private static final String USER = "alice";
    private static final String PHONE = "Alice";
    /** What is open when flight mode begins stays open at the bridge: nobody tells it. */
    private static final String MANY_CONNECTIONS = "sip.max-connections-per-address = 20000";

    /** Wakes that are played first and not counted: they meet a cold bridge. */
    public static final int WARM_UP = 20;

    private LateWakes() {}

    /** How a phone learns what became of its call. */
    public enum Way {
        DIALOG_EVENTS("dialog events"),
        INVITE_CANCEL("INVITE, CANCEL"),
        HTTPS("HTTPS");

        private final String words;

        Way(String words) {
            this.words = words;
        }

        public String words() {
            return words;
        }

        private AppSettings app() {
            return switch (this) {
                case DIALOG_EVENTS -> AppSettings.stock().learningBy(VerdictWay.DIALOG_EVENTS);
                case INVITE_CANCEL -> AppSettings.stock();
                case HTTPS -> AppSettings.stock().learningBy(VerdictWay.HTTPS);
            };
        }
    }

    /**
     * One late wake.
     *
     * @param fromFirstPacket from the first packet that the woken phone sent to the end of its ringing
     * @param fromRegister from its REGISTER with credentials to the end of its ringing; empty if it knew before it got
     *     so far
     * @param registration for comparison: how long a whole registration of that phone took right after, a REGISTER
     *     that is challenged and one that is accepted
     */
    public record Wake(Duration fromFirstPacket, Optional<Duration> fromRegister, Duration registration) {}

    /**
     * Plays late wakes one after another.
     *
     * @param progress told of each hundred
     * @throws Unmet if a phone was not told the truth, or a rule was broken
     */
    public static List<Wake> measure(DemoBridge bridge, Way way, int count, PrintWriter progress) throws Exception {
        PrintWriter nowhere = new PrintWriter(Writer.nullWriter());
        try (Stage stage = new Stage(bridge, List.of(PHONE), MANY_CONNECTIONS, nowhere)) {
            stage.phonesWakeAtOnce();
            stage.start(USER);
            SimulatedIphone phone = stage.asleep(PHONE, USER, way.app());
            List<Wake> wakes = new ArrayList<>();
            for (int i = 1 - WARM_UP; i <= count; i++) {
                Wake wake = wakeLate(stage, phone);
                if (i > 0) {
                    wakes.add(wake);
                }
                if (i > 0 && i % 100 == 0) {
                    progress.println(way.words() + ": " + i + " of " + count);
                    progress.flush();
                }
            }
            stage.mustBeClean();
            return wakes;
        }
    }

    private static Wake wakeLate(Stage stage, SimulatedIphone phone) throws IOException {
        int before = phone.screens().size();
        stage.soon("flight mode", phone.flightMode(true));
        var caller = stage.pbxCalls(USER);
        stage.until("the phone is pushed to", () -> stage.voipPushesTo(phone) == before + 1);
        caller.cancel();
        stage.must("the caller hears", caller.outcome(), 487);
        stage.soon("flight mode is over", phone.flightMode(false));

        stage.until("the phone rings", () -> phone.screens().size() == before + 1);
        CallScreen screen = phone.screens().get(before);
        RingingEnd end = stage.soon("the phone falls silent", screen.ringing());
        if (end != RingingEnd.CANCELLED && end != RingingEnd.NOT_ALIVE) {
            throw new Unmet("Expected: the phone is told that its call is over. But its ringing ended as " + end + ".");
        }
        stage.until("the phone has registered", phone::isRegistered);
        stage.soon("the phone falls asleep", phone.sleep());
        long start = System.nanoTime();
        stage.must("the phone registers anew:", phone.launch(), 200);
        Duration registration = Duration.ofNanos(System.nanoTime() - start);
        stage.soon("the phone falls asleep", phone.sleep());
        return new Wake(screen.fromFirstPacketToSilence().orElseThrow(), screen.fromRegisterToSilence(), registration);
    }
}
