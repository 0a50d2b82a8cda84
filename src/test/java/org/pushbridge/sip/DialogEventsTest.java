package org.pushbridge.sip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pushbridge.device.Aor;
import org.pushbridge.device.Device;
import org.pushbridge.sip.LiveDialog.Direction;
import org.pushbridge.sip.LiveDialog.State;
import org.pushbridge.sip.stack.Transport;
import org.w3c.dom.Element;

/** SUBSCRIBE and NOTIFY of the dialog package (RFC 4235, RFC 6665), over real sockets. */
class DialogEventsTest {
    private static final Aor ALICE = Aor.parse("alice@example.com");
    private static final String INSTANCE = ";+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>\"";
    private static final String URI = "sip:alice@example.com";
    private static final Duration T1 = Duration.ofMillis(500);

    private volatile List<LiveDialog> live = List.of();
    private Edge edge = Edge.startFollowing(T1, limits(Duration.ZERO, 8), device -> live);

    private static SubscriptionSettings limits(Duration interval, int maxPerUser) {
        return new SubscriptionSettings(
                Duration.ofHours(1), Duration.ofSeconds(60), Duration.ofHours(2), interval, maxPerUser, 100);
    }

    private void restart(Duration t1, SubscriptionSettings settings) {
        edge.close();
        edge = Edge.startFollowing(t1, settings, device -> live);
    }

    @AfterEach
    void stop() {
        edge.close();
    }

    // --- what phones do ------------------------------------------------------------------------------------------

    private static LiveDialog call(String callId, State state) {
        return new LiveDialog(
                callId,
                callId,
                Optional.empty(),
                Optional.empty(),
                Direction.RECIPIENT,
                state,
                "sip:bob@example.org",
                "Bob & <Co>");
    }

    private void now(LiveDialog... calls) {
        live = List.of(calls);
        edge.sip.dialogEvents().onChanged(ALICE);
    }

    /** A phone that registers with its instance, and says nothing of events. */
    private Party phone(Transport transport, String... headers) {
        Party phone = edge.stranger("alice", transport);
        register(phone, headers);
        return phone;
    }

    private static void register(Party phone, String... headers) {
        List<String> all = new ArrayList<>(List.of(headers));
        all.add("Expires: 3600");
        String register = phone.request("REGISTER", "sip:example.com", "", all.toArray(String[]::new))
                .replace(phone.contact(), phone.contact() + INSTANCE);
        phone.send(register);
        phone.send(phone.withCredentials(register, phone.expect("SIP/2.0 401"), "secret"));
        phone.expect("SIP/2.0 200");
    }

    private static String[] subscribing(String expires, String... more) {
        return Stream.concat(Stream.of("Event: dialog", "Expires: " + expires), Stream.of(more))
                .toArray(String[]::new);
    }

    /** Sends a SUBSCRIBE and proves who it is. */
    private static void send(Party phone, String subscribe) {
        phone.send(subscribe);
        phone.send(phone.withCredentials(subscribe, phone.expect("SIP/2.0 401"), "secret"));
    }

    private static Dialogue subscribe(Party phone, String expires) {
        send(phone, phone.request("SUBSCRIBE", URI, "", subscribing(expires)));
        return Dialogue.ofCaller(phone, phone.expect("SIP/2.0 200"));
    }

    /** Sends a SUBSCRIBE inside the dialog and proves who it is. */
    private static void resubscribe(Dialogue dialogue, String... headers) {
        String first = dialogue.send("SUBSCRIBE", "", headers);
        String challenge = dialogue.party.expect("SIP/2.0 401");
        String uri = Wire.firstLine(first).split(" ", -1)[1];
        String credentials =
                Wire.credentials(Wire.headers(challenge, "WWW-Authenticate"), "alice", "secret", "SUBSCRIBE", uri);
        dialogue.send(
                "SUBSCRIBE",
                "",
                Stream.concat(Stream.of(headers), Stream.of("Authorization: " + credentials))
                        .toArray(String[]::new));
    }

    private static String notified(Party phone) {
        String notify = phone.expect("NOTIFY ");
        phone.answer(notify, 200, "");
        return notify;
    }

    /** The same, and the bridge has seen the answer: it reads the messages of one peer in order. */
    private static String notifiedForSure(Party phone) {
        String notify = notified(phone);
        phone.send(phone.request("OPTIONS", "sip:example.com", ""));
        phone.expect("SIP/2.0 200");
        return notify;
    }

    private static void assertState(String notify, String state, String... calls) {
        assertThat(Wire.header(notify, "Subscription-State")).startsWith(state);
        assertThat(DialogInfoDocument.in(notify).states()).containsExactly(calls);
    }

    private void awaitSubscriptions(int number) {
        await().untilAsserted(() ->
                assertThat(edge.sip.dialogEvents().subscriptions()).isEqualTo(number));
    }

    // --- the life of a subscription ------------------------------------------------------------------------------

    @ParameterizedTest
    @EnumSource(
            value = Transport.class,
            names = {"UDP", "TCP"})
    void aSubscriberIsToldTheStateAtOnceAndAtEachRefresh(Transport transport) {
        live = List.of(call("one", State.EARLY));
        Party phone = phone(transport);

        send(phone, phone.request("SUBSCRIBE", URI, "", subscribing("600")));

        String ok = phone.expect("SIP/2.0 200");
        assertThat(Wire.header(ok, "Expires")).isEqualTo("600");
        assertThat(Wire.uri(Wire.header(ok, "Contact"))).startsWith("sip:127.0.0.1:");
        String notify = notified(phone);
        assertState(notify, "active;expires=", "one early");
        assertThat(Wire.header(notify, "Event")).isEqualTo("dialog");
        assertThat(Wire.header(notify, "Content-Type")).isEqualTo("application/dialog-info+xml");
        assertThat(Wire.header(notify, "Call-ID")).isEqualTo(Wire.header(ok, "Call-ID"));
        assertThat(Wire.tag(Wire.header(notify, "From"))).isEqualTo(Wire.tag(Wire.header(ok, "To")));
        assertThat(Wire.tag(Wire.header(notify, "To"))).isEqualTo(Wire.tag(Wire.header(ok, "From")));
        assertThat(Wire.firstLine(notify)).isEqualTo("NOTIFY " + Wire.uri(phone.contact()) + " SIP/2.0");
        assertThat(Long.parseLong(Wire.first(notify, "active;expires=([0-9]+)")))
                .isBetween(1L, 600L);

        resubscribe(Dialogue.ofCaller(phone, ok), subscribing("7000"));

        assertThat(Wire.header(phone.expect("SIP/2.0 200"), "Expires")).isEqualTo("7000");
        String second = notified(phone);
        assertState(second, "active;expires=", "one early");
        assertThat(Long.parseLong(Wire.first(second, "active;expires=([0-9]+)")))
                .isGreaterThan(600);
        assertThat(Wire.cseq(second)).isEqualTo(Wire.cseq(notify) + 1);
        assertThat(DialogInfoDocument.in(notify).attribute("version")).isEqualTo("0");
        assertThat(DialogInfoDocument.in(second).attribute("version")).isEqualTo("1");
    }

    @ParameterizedTest
    @EnumSource(
            value = Transport.class,
            names = {"UDP", "TCP"})
    void aSubscriberIsToldWhatChanges(Transport transport) {
        Party phone = phone(transport);
        subscribe(phone, "600");
        assertState(notified(phone), "active");

        now(call("one", State.EARLY));
        String ringing = notified(phone);
        assertState(ringing, "active", "one early");
        Element remote = DialogInfoDocument.identity(
                DialogInfoDocument.in(ringing).dialogs().get(0), "remote");
        assertThat(remote.getAttribute("display-name")).isEqualTo("Bob & <Co>");
        now(call("one", State.CONFIRMED), call("two", State.EARLY));
        assertState(notified(phone), "active", "one confirmed", "two early");
        now();
        assertState(notified(phone), "active");
    }

    @Test
    void whatDoesNotChangeIsNotToldAgain() {
        Party phone = phone(Transport.UDP);
        subscribe(phone, "600");
        notifiedForSure(phone);

        now();
        now(call("one", State.EARLY));
        String notify = notifiedForSure(phone);
        now(call("one", State.EARLY));
        now();

        assertState(notify, "active", "one early");
        assertState(notified(phone), "active");
    }

    @Test
    void whileANotifyIsUnansweredOnlyTheNewestChangeWaits() {
        Party phone = phone(Transport.TCP);
        subscribe(phone, "600");
        String unanswered = phone.expect("NOTIFY ");

        now(call("one", State.EARLY));
        now(call("one", State.CONFIRMED));
        now(call("two", State.EARLY));
        phone.answer(unanswered, 200, "");

        String next = notified(phone);
        assertState(next, "active", "two early");
        assertThat(DialogInfoDocument.in(next).attribute("version")).isEqualTo("1");
    }

    @Test
    void theEndOfACallIsToldWithoutWaitingAndItsProgressIsNot() {
        restart(T1, limits(Duration.ofHours(1), 8));
        live = List.of(call("one", State.EARLY));
        Party phone = phone(Transport.UDP);
        subscribe(phone, "600");
        assertState(notifiedForSure(phone), "active", "one early");

        now(call("one", State.CONFIRMED));
        now();

        String next = notified(phone);
        assertState(next, "active");
        assertThat(DialogInfoDocument.in(next).attribute("version")).isEqualTo("1");
    }

    @Test
    void progressIsToldWhenTheIntervalIsOver() {
        restart(T1, limits(Duration.ofMillis(300), 8));
        Party phone = phone(Transport.UDP);
        subscribe(phone, "600");
        notifiedForSure(phone);

        now(call("one", State.EARLY));
        now(call("one", State.CONFIRMED));

        String newest = notified(phone);
        while (DialogInfoDocument.in(newest).states().equals(List.of("one early"))) {
            newest = notified(phone);
        }
        assertState(newest, "active", "one confirmed");
    }

    @ParameterizedTest
    @EnumSource(
            value = Transport.class,
            names = {"UDP", "TCP"})
    void unsubscribingIsAnsweredByALastNotify(Transport transport) {
        Party phone = phone(transport);
        Dialogue dialogue = subscribe(phone, "600");
        notified(phone);

        resubscribe(dialogue, subscribing("0"));

        assertThat(Wire.header(phone.expect("SIP/2.0 200"), "Expires")).isEqualTo("0");
        assertState(notified(phone), "terminated;reason=timeout");
        awaitSubscriptions(0);
        dialogue.send("SUBSCRIBE", "", subscribing("600"));
        phone.expect("SIP/2.0 481");
    }

    @ParameterizedTest
    @EnumSource(
            value = Transport.class,
            names = {"UDP", "TCP"})
    void aFetchIsToldTheStateOnce(Transport transport) {
        live = List.of(call("one", State.CONFIRMED));
        Party phone = phone(transport);

        subscribe(phone, "0");

        assertState(notified(phone), "terminated;reason=timeout", "one confirmed");
        awaitSubscriptions(0);
    }

    @Test
    void aSubscriptionThatIsNotRefreshedEndsWithALastNotify() {
        restart(
                T1,
                new SubscriptionSettings(
                        Duration.ofHours(1), Duration.ofSeconds(1), Duration.ofHours(2), Duration.ZERO, 8, 100));
        Party phone = phone(Transport.UDP);
        subscribe(phone, "1");
        assertState(notified(phone), "active;expires=1");

        assertState(notified(phone), "terminated;reason=timeout");
        awaitSubscriptions(0);
    }

    @Test
    void aDeviceHasOneSubscription() {
        Party phone = phone(Transport.UDP);
        subscribe(phone, "600");
        String first = notified(phone);
        send(phone, phone.request("SUBSCRIBE", URI, "", subscribing("600")));
        String ok = phone.expect("SIP/2.0 200");

        List<String> both = List.of(notified(phone), notified(phone));

        assertThat(both)
                .filteredOn(n -> Wire.header(n, "Call-ID").equals(Wire.header(first, "Call-ID")))
                .singleElement()
                .satisfies(last -> assertState(last, "terminated;reason=rejected"));
        assertThat(both)
                .filteredOn(n -> Wire.header(n, "Call-ID").equals(Wire.header(ok, "Call-ID")))
                .singleElement()
                .satisfies(fresh -> assertState(fresh, "active"));
        awaitSubscriptions(1);
    }

    @Test
    void theIdOfAnEventIsRepeatedAndKeepsItsDialogToItself() {
        Party phone = phone(Transport.UDP);
        send(phone, phone.request("SUBSCRIBE", URI, "", "Event: dialog;id=7", "Expires: 600"));
        Dialogue dialogue = Dialogue.ofCaller(phone, phone.expect("SIP/2.0 200"));

        assertThat(Wire.header(notified(phone), "Event")).isEqualTo("dialog;id=7");
        dialogue.send("SUBSCRIBE", "", "Event: dialog;id=8", "Expires: 600");
        phone.expect("SIP/2.0 403");
    }

    @Test
    void aSubscriptionOfADeviceThatIsKnownNoMoreEnds() {
        Party phone = phone(Transport.UDP);
        subscribe(phone, "600");
        notifiedForSure(phone);

        var unused = edge.directory.updateAll(ALICE, devices -> List.of());
        edge.sip.dialogEvents().onChanged(ALICE);

        assertState(notified(phone), "terminated;reason=noresource");
        awaitSubscriptions(0);
    }

    @Test
    void manyChangesAtOnceEndWithTheNewestStateAndVersionsInOrder() throws InterruptedException {
        Party phone = phone(Transport.TCP);
        subscribe(phone, "600");
        List<Thread> calls = new ArrayList<>();
        for (String name : List.of("a", "b", "c", "d")) {
            Thread thread = new Thread(() -> {
                for (int i = 0; i < 100; i++) {
                    now(call(name + i, State.EARLY));
                }
            });
            thread.start();
            calls.add(thread);
        }
        for (Thread thread : calls) {
            thread.join();
        }
        now(call("last", State.EARLY));

        List<Long> versions = new ArrayList<>();
        DialogInfoDocument newest;
        do {
            newest = DialogInfoDocument.in(notified(phone));
            versions.add(Long.valueOf(newest.attribute("version")));
        } while (!newest.states().equals(List.of("last early")));

        assertThat(versions)
                .isEqualTo(LongStream.range(0, versions.size()).boxed().toList());
    }

    @Test
    void aSubscriberThatRefreshedWhileItWasSilentIsNotGivenUp() {
        restart(Duration.ofMillis(50), limits(Duration.ZERO, 8));
        Party phone = phone(Transport.TCP);
        Dialogue dialogue = subscribe(phone, "600");
        phone.expect("NOTIFY ");

        resubscribe(dialogue, subscribing("600"));

        phone.expect("SIP/2.0 200");
        assertState(notified(phone), "active");
        assertThat(edge.sip.dialogEvents().subscriptions()).isEqualTo(1);
    }

    // --- other flows ---------------------------------------------------------------------------------------------

    @ParameterizedTest
    @EnumSource(
            value = Transport.class,
            names = {"UDP", "TCP"})
    void aSubscriptionLivesOnOverTheFlowTheDeviceRegistersOnNext(Transport transport) {
        Party before = phone(transport);
        subscribe(before, "600");
        String first = notifiedForSure(before);
        before.close();
        now(call("one", State.EARLY));
        now(call("two", State.EARLY));

        Party after = phone(transport);

        String notify = notified(after);
        assertState(notify, "active", "two early");
        assertThat(Wire.header(notify, "Call-ID")).isEqualTo(Wire.header(first, "Call-ID"));
        assertThat(Wire.header(notify, "To")).isEqualTo(Wire.header(first, "To"));
        assertThat(Wire.cseq(notify)).isGreaterThan(Wire.cseq(first));
        now();
        assertState(notified(after), "active");
    }

    @Test
    void aNotifyThatNobodyAnswersDelaysNothingForADeviceThatMoved() {
        Party before = phone(Transport.UDP);
        subscribe(before, "600");
        notifiedForSure(before);
        now(call("one", State.EARLY));
        before.expect("NOTIFY "); // and it falls asleep
        now();

        Party after = phone(Transport.UDP);

        assertState(notified(after), "active");
    }

    @Test
    void theDeviceIsKnownByItsInstanceOnAnyFlow() {
        Party phone = phone(Transport.UDP);
        Party elsewhere = edge.stranger("alice", Transport.TCP);
        String subscribe = elsewhere
                .request("SUBSCRIBE", URI, "", subscribing("600"))
                .replace(elsewhere.contact(), elsewhere.contact() + INSTANCE);

        send(elsewhere, subscribe);

        elsewhere.expect("SIP/2.0 200");
        assertState(notified(elsewhere), "active");
        register(phone);
        assertState(notified(phone), "active");
    }

    // --- refusals ------------------------------------------------------------------------------------------------

    static Stream<Arguments> refusals() {
        return Stream.of(
                Arguments.of("sip:bob@example.com", 403, List.of("Event: dialog")),
                Arguments.of("sip:nobody@example.com", 404, List.of("Event: dialog")),
                Arguments.of("sip:alice@elsewhere.org", 404, List.of("Event: dialog")),
                Arguments.of(URI, 406, List.of("Event: dialog", "Accept: application/pidf+xml, text/*")),
                Arguments.of(URI, 406, List.of("Event: dialog", "Accept: application/dialog-info+xml;q=0.0")),
                Arguments.of(URI, 406, List.of("Event: dialog", "Accept: ///;;;,,q")),
                Arguments.of(URI, 423, List.of("Event: dialog", "Expires: 59")));
    }

    @ParameterizedTest
    @MethodSource("refusals")
    void whatCannotBeFollowedIsRefused(String uri, int status, List<String> headers) {
        Party phone = phone(Transport.UDP);

        send(phone, phone.request("SUBSCRIBE", uri, "", headers.toArray(String[]::new)));

        String refusal = phone.expect("SIP/2.0 " + status);
        assertThat(Wire.find(refusal, "Min-Expires")).isEqualTo(status == 423 ? Optional.of("60") : Optional.empty());
        assertThat(edge.sip.dialogEvents().subscriptions()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"Event: presence", "Event: dialog.winfo", "Event: ;;=,", "Event:", "Subject: no event"})
    void otherPackagesAreRefusedWithTheOneThereIs(String event) {
        Party phone = phone(Transport.UDP);

        phone.send(phone.request("SUBSCRIBE", URI, "", event));

        assertThat(Wire.header(phone.expect("SIP/2.0 489"), "Allow-Events")).isEqualTo("dialog");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Accept: application/*;q=0.1",
                "Accept: */*",
                "Accept: text/plain, application/DIALOG-INFO+xml;q=0.5",
                "Expires: banana",
                "Expires: 99999999999999999999",
                "Expires: -5",
            })
    void whatIsLaxOrDamagedCountsAsTheDefault(String header) {
        Party phone = phone(Transport.UDP);

        send(phone, phone.request("SUBSCRIBE", URI, "", "Event: dialog", header));

        assertThat(Wire.header(phone.expect("SIP/2.0 200"), "Expires")).isEqualTo("3600");
        assertState(notified(phone), "active");
    }

    @Test
    void aLongWishIsShortened() {
        Party phone = phone(Transport.UDP);

        send(phone, phone.request("SUBSCRIBE", URI, "", subscribing("999999")));

        assertThat(Wire.header(phone.expect("SIP/2.0 200"), "Expires")).isEqualTo("7200");
        notified(phone);
    }

    @Test
    void anUnknownExtensionIsRefused() {
        Party phone = phone(Transport.UDP);

        phone.send(phone.request("SUBSCRIBE", URI, "", subscribing("600", "Require: eventlist")));

        assertThat(Wire.header(phone.expect("SIP/2.0 420"), "Unsupported")).isEqualTo("eventlist");
    }

    @Test
    void aSubscribeWithoutContactIsRefused() {
        Party phone = phone(Transport.UDP);

        phone.send(phone.request("SUBSCRIBE", URI, "", subscribing("600")).replace(phone.contact() + "\r\n", ""));

        phone.expect("SIP/2.0 400");
    }

    @Test
    void aDeviceHasToRegisterFirst() {
        Party stranger = edge.stranger("alice", Transport.UDP);

        send(stranger, stranger.request("SUBSCRIBE", URI, "", subscribing("600")));

        assertThat(Wire.header(stranger.expect("SIP/2.0 480"), "Warning")).contains("Register first");
    }

    @Test
    void aRefreshOfNothingIsRefused() {
        Party phone = phone(Transport.UDP);
        Dialogue dialogue = subscribe(phone, "600");
        notified(phone);

        dialogue.send("SUBSCRIBE", "", subscribing("600"));
        phone.expect("SIP/2.0 401");
        phone.send(phone.request("SUBSCRIBE", URI, "", subscribing("600"))
                .replace("To: <sip:alice@example.com>", "To: <sip:alice@example.com>;tag=none"));
        phone.expect("SIP/2.0 481");
        phone.send(phone.request("SUBSCRIBE", URI, "", subscribing("600"))
                .replace("To: <sip:alice@example.com>", "To: " + dialogue.remote));
        phone.expect("SIP/2.0 481"); // the right tag in another dialog
    }

    @Test
    void aRefreshOutOfOrderIsRefused() {
        Party phone = phone(Transport.UDP);
        Dialogue dialogue = subscribe(phone, "600");
        notified(phone);
        String challenge = challenged(dialogue, phone);
        String credentials = Wire.credentials(
                Wire.headers(challenge, "WWW-Authenticate"),
                "alice",
                "secret",
                "SUBSCRIBE",
                "sip:" + edge.hostPort() + ";transport=udp");

        dialogue.send("SUBSCRIBE", 3, "", subscribing("600", "Authorization: " + credentials));

        phone.expect("SIP/2.0 500");
    }

    private static String challenged(Dialogue dialogue, Party phone) {
        dialogue.send("SUBSCRIBE", "", subscribing("600"));
        return phone.expect("SIP/2.0 401");
    }

    // --- subscribers that fail -----------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(ints = {404, 481, 489, 604})
    void aSubscriptionThatTheOtherEndDoesNotKnowIsRemoved(int status) {
        Party phone = phone(Transport.UDP);
        Dialogue dialogue = subscribe(phone, "600");

        phone.answer(phone.expect("NOTIFY "), status, "");

        awaitSubscriptions(0);
        dialogue.send("SUBSCRIBE", "", subscribing("600"));
        phone.expect("SIP/2.0 481");
    }

    @ParameterizedTest
    @ValueSource(ints = {500, 503, 408, 403})
    void aSubscriptionOutlivesANotifyThatIsRefused(int status) {
        Party phone = phone(Transport.UDP);
        subscribe(phone, "600");

        phone.answer(phone.expect("NOTIFY "), status, "");
        now();

        assertState(notified(phone), "active");
        assertThat(edge.sip.dialogEvents().subscriptions()).isEqualTo(1);
    }

    @Test
    void aSubscriberThatNeverAnswersIsGivenUp() {
        restart(Duration.ofMillis(10), limits(Duration.ZERO, 8));
        Party phone = phone(Transport.UDP);
        subscribe(phone, "600");

        phone.expect("NOTIFY ");

        awaitSubscriptions(0);
    }

    @Test
    void oneUserCannotHaveMoreThanTheLimit() {
        restart(T1, limits(Duration.ZERO, 3));
        Party phone = phone(Transport.TCP);
        List<String> unanswered = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            subscribe(phone, "0");
            unanswered.add(phone.expect("NOTIFY "));
        }

        for (int i = 0; i < 20; i++) {
            send(phone, phone.request("SUBSCRIBE", URI, "", subscribing(i % 2 == 0 ? "0" : "600")));
            assertThat(Wire.header(phone.expect("SIP/2.0 503"), "Retry-After")).isEqualTo("10");
        }

        assertThat(edge.sip.dialogEvents().subscriptions()).isEqualTo(3);
        assertThat(edge.sip.subscriptionsOfUserRefused()).isEqualTo(20);
        unanswered.forEach(notify -> phone.answer(notify, 200, ""));
        awaitSubscriptions(0);
        subscribe(phone, "600");
        assertState(notified(phone), "active");
    }

    @Test
    void thereAreNoMoreInAllThanTheLimit() {
        restart(
                T1,
                new SubscriptionSettings(
                        Duration.ofHours(1), Duration.ofSeconds(60), Duration.ofHours(2), Duration.ZERO, 8, 1));
        Party phone = phone(Transport.UDP);
        subscribe(phone, "600");
        assertState(notified(phone), "active");

        send(phone, phone.request("SUBSCRIBE", URI, "", subscribing("600")));

        assertThat(Wire.header(phone.expect("SIP/2.0 503"), "Retry-After")).isEqualTo("10");
        assertThat(edge.sip.subscriptionsRefused()).isEqualTo(1);
        assertThat(edge.sip.subscriptionsOfUserRefused()).isZero();
    }

    @Test
    void strangersWhoSubscribeLeaveNothingBehind() {
        Party stranger = edge.stranger("alice", Transport.UDP);

        for (int i = 0; i < 50; i++) {
            stranger.send(stranger.request("SUBSCRIBE", URI, "", subscribing("600")));
            stranger.expect("SIP/2.0 401");
        }

        assertThat(edge.sip.dialogEvents().subscriptions()).isZero();
    }

    @Test
    void aDeviceThatKeepsRegisteringAndNeverAnswersHasFewNotifiesUnderWay() {
        Party phone = phone(Transport.TCP);
        subscribe(phone, "600");
        phone.expect("NOTIFY ");
        int idle = edge.sip.stack().clientTransactions();

        Device device = edge.directory.devices(ALICE).get(0);
        for (int i = 0; i < 20; i++) {
            edge.sip
                    .dialogEvents()
                    .onRegistered(device, device.bindings().get(0).flow(), true);
        }

        assertThat(edge.sip.stack().clientTransactions() - idle).isLessThan(4);
    }

    // --- unasked -------------------------------------------------------------------------------------------------

    static Stream<Arguments> declarations() {
        return Stream.of(Transport.UDP, Transport.TCP)
                .flatMap(transport -> Stream.of(
                                "Allow-Events: dialog",
                                "Allow-Events: presence, dialog",
                                "u: presence,DIALOG",
                                "Accept: text/plain, application/dialog-info+xml")
                        .map(header -> Arguments.of(transport, header)));
    }

    @ParameterizedTest
    @MethodSource("declarations")
    void anAppThatUnderstandsItIsToldWhenItRegisters(Transport transport, String header) {
        live = List.of(call("one", State.EARLY));

        Party phone = phone(transport, header);

        String notify = notified(phone);
        assertState(notify, "terminated;reason=timeout", "one early");
        assertThat(Wire.header(notify, "Event")).isEqualTo("dialog");
        assertThat(Wire.header(notify, "To")).doesNotContain("tag=");
        assertThat(Wire.firstLine(notify)).isEqualTo("NOTIFY " + Wire.uri(phone.contact()) + " SIP/2.0");
        assertThat(DialogInfoDocument.in(notify).attribute("version")).isEqualTo("0");
        awaitSubscriptions(0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Allow-Events: dialog.winfo, presence", "Accept: application/sdp", "Subject: none"})
    void anAppThatDoesNotSaySoIsToldNothing(String header) {
        Party phone = phone(Transport.TCP, header);

        phone.send(phone.request("OPTIONS", "sip:example.com", ""));

        phone.expect("SIP/2.0 200"); // and no NOTIFY before it
    }

    @Test
    void aSubscriberIsToldInsideItsSubscriptionAlone() {
        Party phone = phone(Transport.TCP, "Allow-Events: dialog");
        notified(phone);
        subscribe(phone, "600");
        String first = notified(phone);

        register(phone, "Allow-Events: dialog");

        assertThat(Wire.header(notified(phone), "Call-ID")).isEqualTo(Wire.header(first, "Call-ID"));
        phone.send(phone.request("OPTIONS", "sip:example.com", ""));
        phone.expect("SIP/2.0 200");
    }

    @ParameterizedTest
    @ValueSource(ints = {200, 481, 405})
    void whetherTheDeviceAcknowledgedIsKnown(int status) {
        Party phone = phone(Transport.UDP, "Allow-Events: dialog");
        notified(phone);
        awaitSubscriptions(0);

        CompletionStage<Boolean> acknowledged = registeredAgain();
        assertThat(acknowledged.toCompletableFuture()).isNotDone();
        phone.answer(phone.expect("NOTIFY "), status, "");

        assertThat(acknowledged.toCompletableFuture())
                .succeedsWithin(Duration.ofSeconds(10))
                .isEqualTo(status == 200);
    }

    @ParameterizedTest
    @ValueSource(ints = {200, 481, 500})
    void whetherTheSubscriberAcknowledgedIsKnown(int status) {
        Party phone = phone(Transport.UDP);
        subscribe(phone, "600");
        notifiedForSure(phone);

        CompletionStage<Boolean> acknowledged = registeredAgain();
        phone.answer(phone.expect("NOTIFY "), status, "");

        assertThat(acknowledged.toCompletableFuture())
                .succeedsWithin(Duration.ofSeconds(10))
                .isEqualTo(status == 200);
    }

    @Test
    void aDeviceThatDoesNotAnswerHasNotAcknowledged() {
        restart(Duration.ofMillis(10), limits(Duration.ZERO, 8));
        Party phone = phone(Transport.UDP, "Allow-Events: dialog");
        phone.expect("NOTIFY ");

        assertThat(registeredAgain().toCompletableFuture())
                .succeedsWithin(Duration.ofSeconds(10))
                .isEqualTo(false);
    }

    @Test
    void aConnectionThatIsGoneHasAcknowledgedNothing() {
        Party phone = phone(Transport.TCP, "Allow-Events: dialog");
        phone.expect("NOTIFY ");
        phone.close();

        assertThat(registeredAgain().toCompletableFuture())
                .succeedsWithin(Duration.ofSeconds(10))
                .isEqualTo(false);
        awaitSubscriptions(0);
    }

    private CompletionStage<Boolean> registeredAgain() {
        Device device = edge.directory.devices(ALICE).get(0);
        return edge.sip
                .dialogEvents()
                .onRegistered(device, device.bindings().get(0).flow(), true)
                .orElseThrow();
    }

    @Test
    void whatGoesWrongHereDoesNotReachTheCall() {
        edge.close();
        edge = Edge.startFollowing(T1, limits(Duration.ZERO, 8), device -> {
            throw new IllegalStateException("a fault in what knows the calls");
        });
        Party phone = phone(Transport.TCP, "Allow-Events: dialog");

        edge.pbx.send(edge.pbx.invite(URI));

        phone.expect("INVITE ");
        edge.sip.dialogEvents().onChanged(ALICE);
        assertThat(edge.sip.dialogEvents().subscriptions()).isZero();
    }

    @Test
    void aDialogBelongsToItsUser() {
        Party phone = phone(Transport.UDP);
        Dialogue dialogue = subscribe(phone, "600");
        notified(phone);
        String first = dialogue.send("SUBSCRIBE", "", subscribing("600"));
        String uri = Wire.firstLine(first).split(" ", -1)[1];
        String credentials = Wire.credentials(
                Wire.headers(phone.expect("SIP/2.0 401"), "WWW-Authenticate"), "bob", "secret", "SUBSCRIBE", uri);

        dialogue.send("SUBSCRIBE", "", subscribing("600", "Authorization: " + credentials));

        phone.expect("SIP/2.0 403");
    }

    // --- real calls ----------------------------------------------------------------------------------------------

    @Test
    void aCallIsEarlyWhileItRingsConfirmedWhenAnsweredAndGoneWhenOver() {
        edge.close();
        edge = Edge.start();
        Party phone = phone(Transport.UDP);
        edge.pbx.send(edge.pbx.invite(URI).replace("\"Some One\"", "\"Tom & <Jerry>\""));
        String invite = phone.expect("INVITE ");
        phone.answer(invite, 180, "");
        edge.pbx.expect("SIP/2.0 180");

        subscribe(phone, "0");
        String ringing = notified(phone);
        assertState(ringing, "terminated", Wire.header(invite, "Call-ID") + " early");
        Element remote = DialogInfoDocument.identity(
                DialogInfoDocument.in(ringing).dialogs().get(0), "remote");
        assertThat(remote.getAttribute("display-name")).isEqualTo("Tom & <Jerry>");
        assertThat(remote.getTextContent()).isEqualTo("sip:pbx@example.com");

        String answer = phone.answer(invite, 200, "");
        Dialogue caller = Dialogue.ofCaller(edge.pbx, edge.pbx.expect("SIP/2.0 200"));
        caller.send("ACK", 5, "");
        phone.expect("ACK ");
        subscribe(phone, "0");
        assertState(notified(phone), "terminated", Wire.header(invite, "Call-ID") + " confirmed");

        Edge.hangUp(caller, Dialogue.ofCallee(phone, invite, answer));
        subscribe(phone, "0");
        assertState(notified(phone), "terminated");
    }

    @Test
    void aCallAnsweredOnAnotherDeviceIsNotListed() {
        edge.close();
        edge = Edge.start();
        Party phone = phone(Transport.UDP);
        Party other = edge.phone("alice");
        edge.pbx.send(edge.pbx.invite(URI));
        phone.answer(phone.expect("INVITE "), 180, "");
        edge.pbx.expect("SIP/2.0 180");
        other.answer(other.expect("INVITE "), 200, "");
        edge.pbx.expect("SIP/2.0 200");
        phone.expect("CANCEL ");

        subscribe(phone, "0");

        assertState(notified(phone), "terminated");
    }

    @Test
    void optionsSaysThatEventsCanBeFollowed() {
        edge.pbx.send(edge.pbx.request("OPTIONS", "sip:example.com", ""));

        String answer = edge.pbx.expect("SIP/2.0 200");
        assertThat(Wire.header(answer, "Allow-Events")).isEqualTo("dialog");
        assertThat(Wire.list(answer, "Allow")).contains("SUBSCRIBE", "NOTIFY");
    }
}
