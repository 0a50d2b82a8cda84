package org.pushbridge.sip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.pushbridge.call.Call;
import org.pushbridge.call.CallEvent;
import org.pushbridge.call.CallId;
import org.pushbridge.call.CallPlan;
import org.pushbridge.call.Content;
import org.pushbridge.call.ExchangeId;
import org.pushbridge.call.LegDialog;
import org.pushbridge.call.LegId;
import org.pushbridge.call.Pushes;
import org.pushbridge.call.Side;
import org.pushbridge.device.Aor;
import org.pushbridge.device.DeviceId;
import org.pushbridge.device.Flow;

class CallMemoriesTest {
    private static final LegId AWAKE = new LegId("0123456789abcdef");
    private static final LegId ASLEEP = new LegId("fedcba9876543210");
    private static final Trunk TRUNK =
            new Trunk("our pbx", List.of(), Optional.empty(), List.of("9"), true, OptionalInt.empty());

    private final CallMemories memories = new CallMemories(List.of(TRUNK));

    private static Call ringing() {
        return ringing(CallId.random());
    }

    private static Call ringing(CallId id) {
        CallPlan plan = new CallPlan(
                id,
                Optional.of(new LegId("00000000000000aa")),
                List.of(
                        new CallPlan.Candidate(AWAKE, CallPlan.Reach.CONNECTED, Pushes.NONE),
                        new CallPlan.Candidate(ASLEEP, CallPlan.Reach.ASLEEP, Pushes.USUAL)),
                Duration.ofSeconds(45),
                Duration.ofMillis(1500),
                Duration.ofHours(4),
                Duration.ofSeconds(30),
                182,
                Set.of(603));
        return Call.planned(plan).on(new CallEvent.Begun()).call();
    }

    private static Call hungUp() {
        return hungUp(CallId.random());
    }

    private static Call hungUp(CallId id) {
        Content nothing = new Content() {};
        return ringing(id)
                .on(new CallEvent.Answered(new LegDialog(AWAKE, "b"), 1, 200, nothing))
                .call()
                .on(new CallEvent.CallerAcknowledged(new LegDialog(AWAKE, "b"), nothing))
                .call()
                .on(new CallEvent.ByeReceived(new ExchangeId(Side.CALLER, new LegDialog(AWAKE, "b"), 9), nothing))
                .call();
    }

    private static CallMemory memory(Call call) {
        Flow flow = new Flow("tcp", address("192.0.2.1", 5060), address("2001:db8::7", 40_000), -5);
        Dialog dialog = new Dialog(
                "call@id",
                "<sip:a@example.com>",
                "local",
                "\"B\" <sip:b@example.com>",
                "remote",
                7,
                -1,
                List.of("<sip:192.0.2.9;lr>"),
                "sip:b@192.0.2.3:5060",
                false);
        return new CallMemory(
                call.remembered(),
                Instant.parse("2026-01-02T03:04:05.678901Z"),
                new FarEnd.TrunkEnd(TRUNK, Optional.of(flow)),
                new CallMemory.Called.ByUser(Aor.parse("alice@example.com")),
                Map.of(new LegDialog(new LegId("trunk:our pbx"), "b"), dialog),
                Map.of(
                        AWAKE,
                        new CallMemory.LegMemory(
                                new FarEnd.DeviceEnd(
                                        Aor.parse("alice@example.com"), Optional.of(new DeviceId(AWAKE.value())), flow),
                                "sip:b@192.0.2.3",
                                Map.of("", dialog, "b", dialog),
                                Set.of("b"))),
                Optional.of("SIP/2.0 200 OK\r\n\r\n\u00ff"),
                List.of(new CallMemory.Waiting("INVITE sip:a@b SIP/2.0\r\n\r\n", flow)),
                List.of(new CallMemory.Answer(
                        Side.LEG,
                        new LegDialog(AWAKE, "b"),
                        "SIP/2.0 200 OK\r\n\r\n",
                        8,
                        Instant.parse("2026-01-02T03:04:05.678901Z"))),
                Optional.of(Instant.parse("2026-01-02T03:04:06Z")));
    }

    private static InetSocketAddress address(String ip, int port) {
        try {
            return new InetSocketAddress(InetAddress.getByName(ip), port);
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void whatIsReadIsWhatWasWritten() throws IOException {
        for (Call call : List.of(ringing(), hungUp())) {
            CallMemory memory = memory(call);
            assertThat(memories.read(memories.write(memory))).isEqualTo(memory);
        }
    }

    @Test
    void aCallFromADeviceToATrunkIsReadAsItWasWritten() throws IOException {
        CallMemory usual = memory(ringing());
        CallMemory memory = new CallMemory(
                usual.call(),
                usual.began(),
                new FarEnd.DeviceEnd(
                        Aor.parse("alice@example.com"),
                        Optional.empty(),
                        usual.waiting().get(0).flow()),
                new CallMemory.Called.ByTrunk(TRUNK, "911"),
                Map.of(),
                Map.of(
                        new LegId("trunk:our pbx"),
                        new CallMemory.LegMemory(
                                new FarEnd.TrunkEnd(TRUNK, Optional.empty()), "sip:911@pbx", Map.of(), Set.of())),
                Optional.empty(),
                List.of(),
                List.of(),
                Optional.empty());
        assertThat(memories.read(memories.write(memory))).isEqualTo(memory);
    }

    @Test
    void aCallWithATrunkThatIsConfiguredNoMoreIsRefusedWithItsName() {
        byte[] written = memories.write(memory(ringing()));
        CallMemories without = new CallMemories(List.of());
        assertThatThrownBy(() -> without.read(written))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("the trunk our pbx is not configured any more");
    }

    @Test
    void whatAnEarlierVersionWroteAsJsonIsRead() throws IOException {
        CallMemory read = memories.read(json().getBytes(StandardCharsets.UTF_8));

        CallMemory memory = memory(hungUp(new CallId(UUID.fromString("d2a57e4a-872b-4a98-867c-ee3f58c13ef4"))));
        assertThat(read).isEqualTo(memory);
        assertThat(memories.read(memories.write(read))).isEqualTo(memory);
    }

    @Test
    void whatAnEarlierVersionDidNotWriteIsEmpty() throws IOException {
        String earlier = json().replaceFirst(",\"answers\":\\[.*", "}");
        assertThat(earlier).isNotEqualTo(json());
        CallMemory read = memories.read(earlier.getBytes(StandardCharsets.UTF_8));
        assertThat(read.answers()).isEmpty();
        assertThat(read.toldAgain()).isEmpty();
        assertThat(read.waiting()).hasSize(1);
    }

    /** A call that a bridge wrote before memories had a version. */
    private static String json() throws IOException {
        try (InputStream in = CallMemoriesTest.class.getResourceAsStream("call-of-an-earlier-version.json")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
        }
    }

    @Test
    void damageIsRefused() throws IOException {
        byte[] written = memories.write(memory(ringing()));
        for (int length = 0; length < written.length; length++) {
            byte[] cut = Arrays.copyOf(written, length);
            assertThatThrownBy(() -> memories.read(cut)).isInstanceOf(IOException.class);
        }
        for (int at = 0; at < written.length; at++) {
            byte[] damaged = written.clone();
            damaged[at] ^= 0x10;
            assertThatThrownBy(() -> memories.read(damaged)).isInstanceOf(IOException.class);
        }
        for (String damaged : List.of("{", json().substring(0, 500), json().replace("ENDED", "BENDED"))) {
            assertThatThrownBy(() -> memories.read(damaged.getBytes(StandardCharsets.UTF_8)))
                    .isInstanceOf(IOException.class);
        }
    }

    @Test
    void aVersionThatIsNotKnownIsRefusedByItsNumber() {
        byte[] written = memories.write(memory(ringing()));
        written[0] = 2;
        assertThatThrownBy(() -> memories.read(written)).hasMessageContaining("version 2");
    }

    @Test
    void itIsSmall() {
        assertThat(memories.write(memory(hungUp())).length).isLessThan(1_500);
    }
}
