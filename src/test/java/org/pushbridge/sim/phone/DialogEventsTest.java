package org.pushbridge.sim.phone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.pushbridge.sim.phone.PhoneStage.soon;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pushbridge.sim.phone.CallScreen.RingingEnd;
import org.pushbridge.sim.ua.ScriptedPeer;
import org.pushbridge.sim.ua.SipMessage;
import org.pushbridge.sim.ua.Subscription;

/** Dialog events as they reach an app that understands them, in a subscription and without one. */
class DialogEventsTest {
    private static final String NOTHING = document(0, "");
    private static final String CALL_1 = document(0, dialog("call-1", "early"));
    private static final String ONCE = "terminated;reason=noresource";
    private static final Duration AN_HOUR = Duration.ofHours(1);

    private PhoneStage stage;
    private ScriptedPeer bridge;
    private SimulatedIphone phone;

    @BeforeEach
    void open() throws Exception {
        open(AppSettings.stock().learningBy(VerdictWay.DIALOG_EVENTS));
    }

    private void open(AppSettings app) throws Exception {
        stage = new PhoneStage(app);
        bridge = stage.bridge;
        phone = stage.phone;
    }

    @AfterEach
    void close() {
        stage.close();
    }

    private static String document(long version, String dialogs) {
        return "<?xml version=\"1.0\"?><dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"" + version
                + "\" state=\"full\" entity=\"sip:alice@example.com\">" + dialogs + "</dialog-info>";
    }

    private static String dialog(String callId, String state) {
        return "<dialog id=\"d-" + callId + "\" call-id=\"" + callId + "\" direction=\"recipient\"><state>" + state
                + "</state></dialog>";
    }

    private SipMessage notification(String callId, String to, long cseq, String state, String body) {
        SipMessage bare = bridge.request("NOTIFY", callId, "n" + callId + cseq, cseq, to);
        SipMessage notify = bridge.with(
                bridge.with(bridge.with(bare, "Event", "dialog"), "Subscription-State", state),
                "Contact",
                "<sip:bridge@127.0.0.1:" + bridge.address().getPort() + ">");
        return body.isEmpty() ? notify : bridge.withBody(notify, Subscription.CONTENT_TYPE, body);
    }

    private void notifyOnce(String body) throws Exception {
        bridge.send(notification("once", PhoneStage.ALICE, 1, ONCE, body), bridge.lastSender());
    }

    // --- behind a REGISTER ---------------------------------------------------------------------------------------

    @Test
    void saysInItsRegisterThatItUnderstandsDialogEvents() throws Exception {
        var unused = phone.launch();
        assertThat(bridge.next("REGISTER").header("Allow-Events")).contains("dialog");
    }

    @Test
    void stopsRingingWhenItsCallIsNotAmongThoseThatLive() throws Exception {
        CallScreen screen = stage.woken();
        notifyOnce(document(0, dialog("another", "early")));
        bridge.next("200 OK");

        assertThat(soon(screen.ringing())).isEqualTo(RingingEnd.NOT_ALIVE);
        assertThat(phone.violations()).isEmpty();
    }

    @Test
    void stopsRingingWhenItsCallIsListedAsTerminated() throws Exception {
        CallScreen screen = stage.woken();
        notifyOnce(document(0, dialog("call-1", "terminated")));

        assertThat(soon(screen.ringing())).isEqualTo(RingingEnd.NOT_ALIVE);
    }

    @Test
    void ringsOnWhenItsCallLives() throws Exception {
        CallScreen screen = stage.woken();
        notifyOnce(CALL_1);
        bridge.next("200 OK");
        stage.invite("a");
        bridge.next("180 Ringing");

        assertThat(screen.isRinging()).isTrue();
        assertThat(phone.violations()).isEmpty();
    }

    @Test
    void aDocumentWithEverythingInItIsValid() throws Exception {
        stage.woken();
        notifyOnce(document(0, """
                <dialog id="1" call-id="call-1" local-tag="a" remote-tag="b" direction="recipient">
                  <state event="cancelled" code="487">terminated</state>
                  <duration>7</duration>
                  <replaces call-id="c" local-tag="l" remote-tag="r"/>
                  <referred-by display-name="Carol">sip:carol@example.com</referred-by>
                  <route-set><hop>&lt;sip:proxy.example.com;lr&gt;</hop></route-set>
                  <local><identity display-name="Alice">sip:alice@example.com</identity>
                    <target uri="sip:alice@192.0.2.1"><param pname="+sip.rendering" pval="yes"/></target></local>
                  <remote><session-description type="application/sdp">v=0</session-description><cseq>1</cseq></remote>
                </dialog>
                """));
        bridge.next("200 OK");

        assertThat(soon(stage.screen().ringing())).isEqualTo(RingingEnd.NOT_ALIVE);
        assertThat(phone.violations()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "<?xml version=\"1.0\"?> | <!DOCTYPE dialog-info [<!ENTITY x SYSTEM \"file:///etc/hostname\">]> | DOCTYPE",
                "ns:dialog-info | ns:dialog-information | dialog-info that is wrong",
                "state=\"full\" | state=\"partial\" | partial state",
                "state=\"full\" | state=\"whole\" | dialog-info that is wrong",
                "version=\"0\" | version=\"3\" | has the version 3 where 0 was next",
                "version=\"0\" | version=\"-1\" | dialog-info that is wrong",
                "entity=\"sip:alice@example.com\" | entity=\"sip:bob@example.com\" | is about sip:bob@example.com",
                "id=\"d-call-1\" | x=\"1\" | dialog-info that is wrong",
                "call-id=\"call-1\" | local-tag=\"x\" | without a call-id",
                "early | ringing | which is none",
                "</dialog> | </dialogue> | dialog-info that is wrong",
            })
    void aDocumentThatIsWrong(String right, String wrong, String sentence) throws Exception {
        stage.woken();
        notifyOnce(CALL_1.replace(right, wrong));
        stage.isHeldAgainstTheBridge(sentence);
    }

    @Test
    void twoDialogsWithOneId() throws Exception {
        stage.woken();
        notifyOnce(document(0, dialog("call-1", "early") + dialog("call-1", "early")));
        stage.isHeldAgainstTheBridge("two dialogs have the same id");
    }

    @ParameterizedTest
    @CsvSource({
        "Event, presence, another Event than dialog",
        "Subscription-State, active;expires=60, 'active;expires=60, not terminated'",
        "Content-Type, text/plain, the Content-Type 'text/plain'",
    })
    void aHeaderThatIsWrong(String name, String value, String sentence) throws Exception {
        stage.woken();
        SipMessage right = notification("once", PhoneStage.ALICE, 1, ONCE, CALL_1);
        bridge.send(bridge.with(right, name, value), bridge.lastSender());
        stage.isHeldAgainstTheBridge(sentence);
    }

    @Test
    void aNotifyWithoutContact() throws Exception {
        stage.woken();
        SipMessage right = notification("once", PhoneStage.ALICE, 1, ONCE, CALL_1);
        bridge.send(bridge.without(right, "Contact"), bridge.lastSender());
        stage.isHeldAgainstTheBridge("A NOTIFY has 0 Contacts");
    }

    @Test
    void aNotifyBeforeTheRegisterIsAccepted() throws Exception {
        phone.voipPush(PhoneStage.incoming());
        bridge.next("REGISTER");
        notifyOnce(CALL_1);
        stage.isHeldAgainstTheBridge("before the 200 to the REGISTER");
    }

    @Test
    void twoNotifiesBehindOneRegister() throws Exception {
        stage.woken();
        notifyOnce(CALL_1);
        bridge.send(notification("twice", PhoneStage.ALICE, 1, ONCE, CALL_1), bridge.lastSender());
        stage.isHeldAgainstTheBridge("A second NOTIFY came behind one REGISTER");
    }

    @Test
    void noNotifyAtAllWhileItRings() throws Exception {
        stage.woken();
        stage.isHeldAgainstTheBridge("No NOTIFY of dialog events followed the 200");
    }

    @Test
    void aNotifyToAnAppThatUnderstandsNoEvents() throws Exception {
        stage.close();
        open(AppSettings.stock());
        stage.woken();
        notifyOnce(NOTHING);

        bridge.next("489 Not Wanted");
        stage.isHeldAgainstTheBridge("never said it understands events");
        assertThat(stage.screen().isRinging()).isTrue();
    }

    // --- in a subscription ---------------------------------------------------------------------------------------

    private Subscription subscribed() throws Exception {
        stage.registered();
        Subscription subscription = phone.dialogEvents();
        CompletableFuture<Integer> status = subscription.subscribe(AN_HOUR);
        SipMessage subscribe = bridge.next("SUBSCRIBE");
        accept(subscribe, "3600");
        assertThat(soon(status)).isEqualTo(200);
        notifyInside(subscribe, 1, "active;expires=3600", NOTHING);
        bridge.next("200 OK");
        await().until(() -> subscription.notifications().size() == 1);
        return subscription;
    }

    private void accept(SipMessage subscribe, String expires) throws Exception {
        bridge.respond(
                subscribe,
                200,
                "OK",
                r -> bridge.with(
                        bridge.with(r, "Expires", expires),
                        "Contact",
                        "<sip:bridge@127.0.0.1:" + bridge.address().getPort() + ">"));
    }

    private void notifyInside(SipMessage subscribe, long cseq, String state, String body) throws Exception {
        InetSocketAddress to = bridge.lastSender();
        bridge.send(notification(subscribe.callId(), subscribe.header("From").orElseThrow(), cseq, state, body), to);
    }

    @Test
    void subscribesWithDigestRefreshesAndEnds() throws Exception {
        stage.registered();
        Subscription subscription = phone.dialogEvents();
        CompletableFuture<Integer> status = subscription.subscribe(AN_HOUR);
        SipMessage bare = bridge.next("SUBSCRIBE");
        bridge.respond(
                bare,
                401,
                "Unauthorized",
                r -> bridge.with(r, "WWW-Authenticate", "Digest realm=\"example.com\", nonce=\"n\", qop=\"auth\""));
        SipMessage subscribe = bridge.next("SUBSCRIBE");
        assertThat(subscribe.header("Authorization")).isPresent();
        assertThat(subscribe.uri()).isEqualTo("sip:alice@example.com");
        assertThat(subscribe.header("Accept")).contains("application/dialog-info+xml");
        accept(subscribe, "1800");
        assertThat(soon(status)).isEqualTo(200);
        notifyInside(subscribe, 1, "active;expires=1800", NOTHING);
        bridge.next("200 OK");

        CompletableFuture<Integer> refreshed = subscription.subscribe(AN_HOUR);
        SipMessage again = bridge.next("SUBSCRIBE");
        assertThat(again.isInsideDialog()).isTrue();
        assertThat(again.callId()).isEqualTo(subscribe.callId());
        accept(again, "1800");
        assertThat(soon(refreshed)).isEqualTo(200);
        notifyInside(subscribe, 2, "active;expires=1800", document(1, ""));
        bridge.next("200 OK");

        CompletableFuture<Integer> ended = subscription.subscribe(Duration.ZERO);
        SipMessage last = bridge.next("SUBSCRIBE");
        assertThat(last.header("Expires")).contains("0");
        accept(last, "0");
        assertThat(soon(ended)).isEqualTo(200);
        notifyInside(subscribe, 3, "terminated;reason=timeout", document(2, ""));

        assertThat(soon(subscription.terminated())).isEqualTo("timeout");
        assertThat(phone.violations()).isEmpty();
    }

    @Test
    void fetchesTheStateOnce() throws Exception {
        stage.registered();
        Subscription subscription = phone.dialogEvents();
        var unused = subscription.subscribe(Duration.ZERO);
        SipMessage subscribe = bridge.next("SUBSCRIBE");
        accept(subscribe, "0");
        notifyInside(subscribe, 1, "terminated;reason=timeout", CALL_1);

        assertThat(soon(subscription.terminated())).isEqualTo("timeout");
        assertThat(phone.violations()).isEmpty();
    }

    @Test
    void aScreenEndsByANotifyInTheSubscription() throws Exception {
        Subscription subscription = subscribed();
        phone.voipPush(PhoneStage.incoming());
        CallScreen screen = stage.screen();
        notifyInside(subscribe(subscription), 2, "active;expires=3000", document(1, ""));

        assertThat(soon(screen.ringing())).isEqualTo(RingingEnd.NOT_ALIVE);
        assertThat(phone.violations()).isEmpty();
    }

    /** What the NOTIFYs of a subscription answer to, read from the first of them. */
    private SipMessage subscribe(Subscription subscription) {
        SipMessage first = subscription.notifications().get(0);
        return bridge.with(first, "From", first.header("To").orElseThrow());
    }

    @ParameterizedTest
    @CsvSource({
        "1, 1, active;expires=60, CSeq of a NOTIFY did not go up",
        "2, 0, active;expires=60, has the version 0 where 1 was next",
        "2, 5, active;expires=60, has the version 5 where 1 was next",
        "2, 1, active, not when the subscription expires",
        "2, 1, active;expires=7200, longer than was granted",
        "2, 1, gone, a Subscription-State that is none",
    })
    void aNotifyThatBreaksTheSubscription(long cseq, long version, String state, String sentence) throws Exception {
        Subscription subscription = subscribed();
        SipMessage notify = notification("x", PhoneStage.ALICE, cseq, state, document(version, ""));
        SipMessage first = subscribe(subscription);
        SipMessage inside = bridge.with(
                bridge.with(notify, "Call-ID", first.callId()),
                "To",
                first.header("From").orElseThrow());
        bridge.send(inside, bridge.lastSender());
        stage.isHeldAgainstTheBridge(sentence);
    }

    @Test
    void aNotifyAfterTheEnd() throws Exception {
        Subscription subscription = subscribed();
        SipMessage first = subscribe(subscription);
        notifyInside(first, 2, "terminated;reason=timeout", "");
        soon(subscription.terminated());
        notifyInside(first, 3, "active;expires=60", document(1, ""));

        stage.isHeldAgainstTheBridge("a subscription that was terminated");
    }

    @ParameterizedTest
    @CsvSource({"7200, has Expires: 7200", "soon, has Expires: soon"})
    void aSubscriptionThatIsLongerThanWasAsked(String expires, String sentence) throws Exception {
        stage.registered();
        var unused = phone.dialogEvents().subscribe(AN_HOUR);
        accept(bridge.next("SUBSCRIBE"), expires);
        stage.isHeldAgainstTheBridge(sentence);
    }

    @Test
    void noNotifyBehindASubscribe() throws Exception {
        stage.registered();
        var unused = phone.dialogEvents().subscribe(AN_HOUR);
        accept(bridge.next("SUBSCRIBE"), "3600");
        stage.isHeldAgainstTheBridge("No NOTIFY followed the 2xx to a SUBSCRIBE");
    }
}
