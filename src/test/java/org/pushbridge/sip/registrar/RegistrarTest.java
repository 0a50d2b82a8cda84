package org.pushbridge.sip.registrar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import gov.nist.javax.sip.header.ContactList;
import gov.nist.javax.sip.header.SIPHeader;
import gov.nist.javax.sip.message.SIPRequest;
import gov.nist.javax.sip.message.SIPResponse;
import gov.nist.javax.sip.parser.StringMsgParser;
import java.net.InetSocketAddress;
import java.text.ParseException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pushbridge.device.Aor;
import org.pushbridge.device.ApnsEnvironment;
import org.pushbridge.device.Binding;
import org.pushbridge.device.Device;
import org.pushbridge.device.DeviceDirectory;
import org.pushbridge.device.Flow;
import org.pushbridge.device.PushTarget;
import org.pushbridge.device.PushToken;
import org.pushbridge.sip.registrar.Registrar.Registration;

class RegistrarTest {
    private static final String TOKEN = "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0";
    private static final String OTHER_TOKEN = "11fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f1";
    private static final String PUSH = ";pn-provider=apns;pn-param=ABCDE12345.com.example.phone.voip;pn-prid=" + TOKEN;
    private static final String INSTANCE = ";+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>\"";
    private static final Aor ALICE = Aor.parse("alice@example.com");
    private static final Aor BOB = Aor.parse("bob@example.com");

    private final SteppedClock clock = new SteppedClock();
    private final MemoryStore store = new MemoryStore();
    private final DeviceDirectory directory = DeviceDirectory.load(store);
    private final DigestAuthenticator authenticator =
            new DigestAuthenticator(DigestSettings.of(List.of("example.com")), directory, clock);
    private final Registrar registrar = new Registrar(
            RegistrarSettings.of(Set.of("example.com"), Set.of("com.example.phone")), directory, authenticator, clock);

    @BeforeEach
    void twoUsers() {
        directory.saveUser(Ha1.of(ALICE, "secret".toCharArray()));
        directory.saveUser(Ha1.of(BOB, "secret".toCharArray()));
    }

    @Test
    void aPhoneRegistersAfterOneRoundTrip() {
        Phone phone = new Phone(ALICE).from("198.51.100.7", 40123);
        SIPResponse challenge = answer(registrar
                .register(phone.request(List.of("Contact: <sip:alice@10.0.0.1>")), phone.flow)
                .toCompletableFuture());
        assertThat(challenge.getStatusCode()).isEqualTo(401);
        assertThat(challenge.getToTag()).isNotBlank();
        assertThat(challenge.toString().lines().filter(l -> l.startsWith("WWW-Authenticate: Digest ")))
                .hasSize(2);

        Registration registration = phone.register("Contact: <sip:alice@10.0.0.1>", "Expires: 600");

        assertThat(registration.response().getStatusCode()).isEqualTo(200);
        assertThat(registration.response().getToTag()).isNotBlank();
        assertThat(registration.response().getHeader("Date").toString().strip())
                .isEqualTo("Date: Tue, 01 Jan 2030 08:00:00 GMT");
        assertThat(contacts(registration)).containsExactly("<sip:alice@10.0.0.1>;expires=600");
        Binding binding = registration.registered().orElseThrow().binding();
        assertThat(binding.flow()).isEqualTo(phone.flow);
        assertThat(binding.expires()).isEqualTo(Duration.ofMinutes(10));
        assertThat(directory.devices(ALICE))
                .containsExactly(registration.registered().orElseThrow().device());
        assertThat(store.loadDevices()).isEqualTo(directory.devices(ALICE));
    }

    @Test
    void nothingIsAcknowledgedBeforeItIsOnDisk() {
        store.holdWrites();
        Phone phone = new Phone(ALICE);
        CompletableFuture<Registration> pending = phone.send("Contact: <sip:alice@10.0.0.1>");
        assertThat(pending).isNotDone();

        store.finish();

        assertThat(pending).isCompleted();
        assertThat(answer(pending).getStatusCode()).isEqualTo(200);
    }

    @Test
    void aStoreThatFailsIsNotHidden() {
        store.fail();

        Registration registration = new Phone(ALICE).register("Contact: <sip:alice@10.0.0.1>");

        assertThat(registration.response().getStatusCode()).isEqualTo(500);
        assertThat(registration.response().toString()).contains("Retry-After: 10");
        assertThat(registration.registered()).isEmpty();
        assertThat(registration.response().getContactHeaders()).isNull();
    }

    @Test
    void aUserCannotRegisterForAnother() {
        Phone phone = new Phone(ALICE);
        phone.to = BOB;

        assertThat(phone.register("Contact: <sip:alice@10.0.0.1>").response().getStatusCode())
                .isEqualTo(403);
        assertThat(directory.devices(BOB)).isEmpty();
    }

    @Test
    void foreignDomainsAreNotFound() {
        SIPRequest toForeign = SipText.parse(
                "REGISTER sip:example.com SIP/2.0",
                "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx",
                "From: <sip:alice@example.net>;tag=1",
                "To: <sip:alice@example.net>",
                "Call-ID: c",
                "CSeq: 1 REGISTER");

        assertThat(answer(registrar.register(toForeign, new Phone(ALICE).flow).toCompletableFuture())
                        .getStatusCode())
                .isEqualTo(404);
        Phone phone = new Phone(ALICE);
        phone.server = "sip:example.net";
        assertThat(phone.register("Contact: <sip:alice@10.0.0.1>").response().getStatusCode())
                .isEqualTo(404);
        phone.server = "sip:192.0.2.9";
        assertThat(phone.register("Contact: <sip:alice@10.0.0.1>").response().getStatusCode())
                .isEqualTo(200);
    }

    @Test
    void unknownExtensionsAreNamed() {
        Registration refused = new Phone(ALICE).register("Contact: <sip:alice@10.0.0.1>", "Require: gruu, path, foo");

        assertThat(refused.response().getStatusCode()).isEqualTo(420);
        assertThat(refused.response().toString()).containsPattern("Unsupported: gruu,\\s*foo\r\n");
    }

    @ParameterizedTest
    @CsvSource({"59, 423", "60, 200", "0, 200"})
    void tooShortABindingIsRefused(int seconds, int status) {
        SIPResponse response = new Phone(ALICE)
                .register("Contact: <sip:alice@10.0.0.1>;expires=" + seconds)
                .response();

        assertThat(response.getStatusCode()).isEqualTo(status);
        if (status == 423) {
            assertThat(response.toString()).contains("Min-Expires: 60");
        }
    }

    @Test
    void expiryIsTheParametersThenTheHeadersThenTheDefaultAndNeverTooLong() {
        Phone phone = new Phone(ALICE);

        assertThat(contacts(phone.register("Contact: <sip:alice@10.0.0.1>;expires=100", "Expires: 200")))
                .containsExactly("<sip:alice@10.0.0.1>;expires=100");
        assertThat(contacts(phone.register("Contact: <sip:alice@10.0.0.1>", "Expires: 200")))
                .containsExactly("<sip:alice@10.0.0.1>;expires=200");
        assertThat(contacts(phone.register("Contact: <sip:alice@10.0.0.1>")))
                .containsExactly("<sip:alice@10.0.0.1>;expires=3600");
        assertThat(contacts(phone.register("Contact: <sip:alice@10.0.0.1>;expires=99999999999")))
                .containsExactly("<sip:alice@10.0.0.1>;expires=86400");
        assertThat(contacts(phone.register("Contact: <sip:alice@10.0.0.1>;expires=soon")))
                .containsExactly("<sip:alice@10.0.0.1>;expires=3600");
    }

    @Test
    void aQuestionListsWhatIsThereAndHowLongItHas() {
        Phone phone = new Phone(ALICE);
        phone.register("Contact: <sip:alice@10.0.0.1>;q=0.5, <sip:alice@10.0.0.2>;expires=120");
        clock.advance(Duration.ofMillis(100_500));

        Registration answer = phone.register();

        assertThat(contacts(answer))
                .containsExactlyInAnyOrder(
                        "<sip:alice@10.0.0.1>;q=0.500;expires=3500", "<sip:alice@10.0.0.2>;expires=20");
        assertThat(answer.registered()).isEmpty();
    }

    @Test
    void anExpiredBindingIsNoLongerListed() {
        Phone phone = new Phone(ALICE);
        phone.register("Contact: <sip:alice@10.0.0.1>;expires=60");
        clock.advance(Duration.ofMinutes(1));

        assertThat(phone.register().response().getContactHeaders()).isNull();
        assertThat(directory.devices(ALICE)).isEmpty();
    }

    @Test
    void aContactThatCannotBeReadIsNoQuestion() {
        SIPResponse response = new Phone(ALICE)
                .register("Contact: <sip:alice@10.0.0.1;pn-provider=apns;pn-prid=\u00fc\u0001\u00b4>")
                .response();

        assertThat(response.getStatusCode()).isEqualTo(400);
        assertThat(warning(response)).contains("hexadecimal digits");
    }

    @Test
    void starRemovesEverythingThePushTargetIncluded() {
        Phone phone = new Phone(ALICE);
        phone.register("Contact: <sip:alice@10.0.0.1" + PUSH + ">" + INSTANCE);
        phone.register("Contact: <sip:alice@10.0.0.2>");

        Registration removed = phone.register("Contact: *", "Expires: 0");

        assertThat(removed.response().getStatusCode()).isEqualTo(200);
        assertThat(removed.registered()).isEmpty();
        assertThat(directory.devices(ALICE)).isEmpty();
        assertThat(store.devices).isEmpty();
    }

    @Test
    void starWithoutExpiresZeroIsRefused() {
        Phone phone = new Phone(ALICE);
        phone.register("Contact: <sip:alice@10.0.0.2>");

        assertThat(status(phone.register("Contact: *", "Expires: 60"))).isEqualTo(400);
        assertThat(status(phone.register("Contact: *"))).isEqualTo(400);
        assertThat(status(phone.register("Contact: *", "Contact: <sip:alice@10.0.0.1>", "Expires: 0")))
                .isEqualTo(400);
        assertThat(directory.devices(ALICE)).hasSize(1);
    }

    @Test
    void anOlderRequestOfTheSameCallDoesNotUndoANewerOne() {
        Phone phone = new Phone(ALICE);
        phone.register("Contact: <sip:alice@10.0.0.1>");
        phone.cseq -= 2;

        assertThat(status(phone.register("Contact: <sip:alice@10.0.0.1>;expires=0")))
                .isEqualTo(500);
        phone.cseq -= 2;
        assertThat(status(phone.register("Contact: *", "Expires: 0"))).isEqualTo(500);
        assertThat(directory.devices(ALICE)).hasSize(1);

        phone.callId = "another call";
        assertThat(status(phone.register("Contact: <sip:alice@10.0.0.1>;expires=0")))
                .isEqualTo(200);
        assertThat(directory.devices(ALICE)).isEmpty();
    }

    @Test
    void aUserHasABoundedNumberOfContactsAndMayAlwaysRefreshThem() {
        Phone phone = new Phone(ALICE);
        for (int i = 0; i < 10; i++) {
            assertThat(status(phone.register("Contact: <sip:alice@10.0.0." + i + ">")))
                    .isEqualTo(200);
        }

        Registration refused = phone.register("Contact: <sip:alice@10.0.1.1>");

        assertThat(status(refused)).isEqualTo(403);
        assertThat(warning(refused.response())).contains("10 contacts");
        assertThat(directory.devices(ALICE)).hasSize(10);
        assertThat(status(phone.register("Contact: <sip:alice@10.0.0.3>"))).isEqualTo(200);
        assertThat(status(phone.register("Contact: <sip:alice@10.0.0.3>;expires=0")))
                .isEqualTo(200);
        assertThat(status(phone.register("Contact: <sip:alice@10.0.1.1>"))).isEqualTo(200);
    }

    @Test
    void aPhoneThatComesBackFromAnotherNetworkIsTheSameDevice() {
        Phone phone = new Phone(ALICE).from("198.51.100.7", 40123);
        Device home = device(phone.register("Contact: <sip:alice@10.0.0.1:5060" + PUSH + ">" + INSTANCE));

        phone.from("203.0.113.5", 61000).callId = "after waking up";
        Device away = device(
                phone.register("Contact: <sip:alice@172.16.0.9:1024" + PUSH + ">" + INSTANCE.toLowerCase(Locale.ROOT)));

        assertThat(away.id()).isEqualTo(home.id());
        assertThat(away.bindings()).hasSize(1);
        assertThat(away.bindings().get(0).flow()).isEqualTo(phone.flow);
        assertThat(directory.devices(ALICE)).containsExactly(away);
    }

    @Test
    void withoutAnInstanceThePushTargetTellsTheDevice() {
        Phone phone = new Phone(ALICE);
        Device home = device(phone.register("Contact: <sip:alice@10.0.0.1:5060" + PUSH + ">"));

        Device away = device(phone.register(
                "Contact: <sip:alice@172.16.0.9:1024" + PUSH.replace(TOKEN, TOKEN.toUpperCase(Locale.ROOT)) + ">"));

        assertThat(away.id()).isEqualTo(home.id());
        assertThat(away.identity()).doesNotContain(TOKEN);
        assertThat(directory.devices(ALICE)).containsExactly(away);
    }

    @Test
    void withoutBothTheContactTellsTheDevice() {
        Phone phone = new Phone(ALICE);
        phone.register("Contact: <sip:alice@10.0.0.1;transport=tcp;foo=bar>");
        phone.register("Contact: \"Alice\" <sip:alice@10.0.0.1;TRANSPORT=TCP;ob>");
        assertThat(directory.devices(ALICE)).hasSize(1);

        phone.register("Contact: <sip:alice@10.0.0.1>");
        assertThat(directory.devices(ALICE)).hasSize(2);
    }

    @Test
    void aDeviceWithoutInstanceThatGetsAPushTargetIsNotRungTwice() {
        Phone phone = new Phone(ALICE);
        phone.register("Contact: <sip:alice@10.0.0.1;pn-provider=apns>");
        phone.register("Contact: <sip:alice@10.0.0.1" + PUSH + ">");
        phone.register("Contact: <sip:alice@10.0.0.1" + PUSH.replace(TOKEN, OTHER_TOKEN) + ">");

        assertThat(directory.devices(ALICE)).hasSize(1);
        assertThat(directory.devices(ALICE).get(0).target().orElseThrow().voip())
                .contains(new PushToken(OTHER_TOKEN));

        phone.register("Contact: <sip:alice@10.0.0.1>;expires=0");
        assertThat(directory.devices(ALICE)).isEmpty();
    }

    @Test
    void eachRegIdIsAFlowOfTheSameDevice() {
        Phone phone = new Phone(ALICE).from("198.51.100.7", 40123);
        phone.register("Contact: <sip:alice@10.0.0.1;ob>;reg-id=1" + INSTANCE, "Supported: path, outbound");
        phone.from("198.51.100.7", 40124);
        Registration second =
                phone.register("Contact: <sip:alice@10.0.0.1;ob>;reg-id=2" + INSTANCE, "Supported: outbound");

        assertThat(second.response().toString()).contains("Require: outbound");
        assertThat(device(second).bindings())
                .extracting(Binding::regId)
                .containsExactly(OptionalInt.of(1), OptionalInt.of(2));
        assertThat(second.registered().orElseThrow().binding().flow()).isEqualTo(phone.flow);

        phone.from("198.51.100.7", 40125);
        Device replaced =
                device(phone.register("Contact: <sip:alice@10.9.9.9;ob>;reg-id=1" + INSTANCE, "Supported: outbound"));
        assertThat(replaced.bindings())
                .extracting(Binding::regId)
                .containsExactly(OptionalInt.of(2), OptionalInt.of(1));
        assertThat(replaced.bindings().get(1).flow().remote().getPort()).isEqualTo(40125);

        phone.register("Contact: <sip:alice@10.0.0.1;ob>;reg-id=2;expires=0" + INSTANCE, "Supported: outbound");
        assertThat(directory.devices(ALICE).get(0).bindings())
                .extracting(Binding::regId)
                .containsExactly(OptionalInt.of(1));
    }

    @Test
    void aRegIdWithoutOutboundSupportOrInstanceDoesNotCount() {
        Phone phone = new Phone(ALICE);

        Registration plain = phone.register("Contact: <sip:alice@10.0.0.1>;reg-id=1" + INSTANCE);
        assertThat(plain.registered().orElseThrow().binding().regId()).isEmpty();
        assertThat(plain.response().toString()).doesNotContain("Require:");

        Registration nameless = phone.register("Contact: <sip:alice@10.0.0.2>;reg-id=1", "Supported: outbound");
        assertThat(nameless.registered().orElseThrow().binding().regId()).isEmpty();
    }

    @Test
    void aProxyThatDoesNotKeepFlowsIsReported() {
        Phone phone = new Phone(ALICE);
        String contact = "Contact: <sip:alice@10.0.0.1;ob>;reg-id=1" + INSTANCE;
        phone.proxy = Optional.of("Via: SIP/2.0/UDP 192.0.2.77;branch=z9hG4bKproxy");

        assertThat(status(phone.register(contact, "Supported: outbound"))).isEqualTo(439);
        assertThat(status(phone.register(contact, "Supported: outbound, path", "Path: <sip:192.0.2.77;lr;ob>")))
                .isEqualTo(200);
    }

    @Test
    void thePathIsKeptAndEchoedForThoseWhoKnowIt() {
        Phone phone = new Phone(ALICE);
        String[] lines = {"Contact: <sip:alice@10.0.0.1>", "Path: <sip:p1.example.com;lr>, <sip:p2.example.com;lr>"};
        SIPResponse refused = phone.register(lines).response();
        assertThat(refused.getStatusCode()).isEqualTo(420);
        assertThat(refused.toString()).contains("Unsupported: path");

        Registration accepted = phone.register(lines[0], lines[1], "Supported: path");

        assertThat(accepted.registered().orElseThrow().binding().path())
                .containsExactly("<sip:p1.example.com;lr>", "<sip:p2.example.com;lr>");
        assertThat(accepted.response().toString())
                .containsPattern("Path: <sip:p1.example.com;lr>,\\s*<sip:p2.example.com;lr>\r\n");
    }

    @Test
    void whatTheAppSaysAboutItselfIsKept() {
        Phone phone = new Phone(ALICE);

        Binding plain = phone.register("Contact: <sip:alice@10.0.0.1>", "User-Agent: Phone/1.0 (iOS)")
                .registered()
                .orElseThrow()
                .binding();
        assertThat(plain.userAgent()).isEqualTo("Phone/1.0 (iOS)");
        assertThat(plain.dialogEvents()).isFalse();

        assertThat(phone.register("Contact: <sip:alice@10.0.0.1>", "Allow-Events: presence, dialog")
                        .registered()
                        .orElseThrow()
                        .binding()
                        .dialogEvents())
                .isTrue();
        assertThat(phone.register(
                                "Contact: <sip:alice@10.0.0.1>", "Accept: application/sdp, application/dialog-info+xml")
                        .registered()
                        .orElseThrow()
                        .binding()
                        .dialogEvents())
                .isTrue();
    }

    @Test
    void aPushTargetIsStoredAndConfirmed() {
        Registration registration = new Phone(ALICE).register("Contact: <sip:alice@10.0.0.1" + PUSH + ">" + INSTANCE);

        PushTarget target = device(registration).target().orElseThrow();
        assertThat(target.environment()).isEqualTo(ApnsEnvironment.PRODUCTION);
        assertThat(target.teamId()).isEqualTo("ABCDE12345");
        assertThat(target.bundleId()).isEqualTo("com.example.phone");
        assertThat(target.voip()).contains(new PushToken(TOKEN));
        assertThat(target.registeredAt()).isEqualTo(clock.instant());
        assertThat(target.prid()).isEqualTo(TOKEN);
        assertThat(featureCaps(registration)).isEqualTo("*;+sip.pns=\"apns\"" + purr(registration));
        assertThat(contacts(registration))
                .containsExactly("<sip:alice@10.0.0.1" + PUSH + ">" + INSTANCE + ";expires=3600");
    }

    @Test
    void linphonesTwoTokensForTheSandboxAreUnderstood() {
        Registration registration = new Phone(ALICE)
                .register("Contact: <sip:alice@10.0.0.1;pn-provider=apns.dev"
                        + ";pn-param=ABCDE12345.com.example.phone.voip&remote;pn-prid="
                        + TOKEN.toUpperCase(Locale.ROOT) + ":voip&" + OTHER_TOKEN + ":remote>" + INSTANCE);

        PushTarget target = device(registration).target().orElseThrow();
        assertThat(target.environment()).isEqualTo(ApnsEnvironment.SANDBOX);
        assertThat(target.voip()).contains(new PushToken(TOKEN));
        assertThat(target.regular()).contains(new PushToken(OTHER_TOKEN));
        assertThat(featureCaps(registration)).isEqualTo("*;+sip.pns=\"apns.dev\"" + purr(registration));
    }

    @Test
    void aQueryIsAnsweredAndStoresNoTarget() {
        Phone phone = new Phone(ALICE);

        Registration query = phone.register("Contact: <sip:alice@10.0.0.1;pn-provider=apns>" + INSTANCE);
        assertThat(status(query)).isEqualTo(200);
        assertThat(featureCaps(query)).isEqualTo("*;+sip.pns=\"apns\"");
        assertThat(device(query).target()).isEmpty();

        assertThat(featureCaps(phone.register("Contact: <sip:alice@10.0.0.1;pn-provider>" + INSTANCE)))
                .isEqualTo("*;+sip.pns=\"apns\", *;+sip.pns=\"apns.dev\"");

        phone.register("Contact: <sip:alice@10.0.0.1" + PUSH + ">" + INSTANCE);
        assertThat(device(phone.register("Contact: <sip:alice@10.0.0.1;pn-provider=apns>" + INSTANCE))
                        .isPushable())
                .isTrue();
    }

    @Test
    void aDeviceThatWakesItselfIsToldWhenToRefresh() {
        Registration registration =
                new Phone(ALICE).register("Contact: <sip:alice@10.0.0.1" + PUSH + ">;+sip.pnsreg" + INSTANCE);

        assertThat(featureCaps(registration)).isEqualTo("*;+sip.pns=\"apns\";+sip.pnsreg=\"150\"" + purr(registration));
    }

    @Test
    void aDeviceIsGivenTheSameReferenceForItsDialogsEachTimeAndAnotherDeviceAnotherOne() {
        Phone phone = new Phone(ALICE);
        String contact = "Contact: <sip:alice@10.0.0.1" + PUSH + ">" + INSTANCE;
        Registration first = phone.register(contact);
        Registration again = phone.from("198.51.100.9", 1024).register(contact);
        Registration other = phone.register("Contact: <sip:alice@10.0.0.2" + PUSH.replace(TOKEN, OTHER_TOKEN) + ">");

        assertThat(featureCaps(again)).isEqualTo(featureCaps(first)).containsPattern("\\+sip.pnspurr=\"[0-9a-f]{32}\"");
        assertThat(featureCaps(other)).isNotEqualTo(featureCaps(first));
        assertThat(device(first).id().hasPurr(device(first).id().purr())).isTrue();
        assertThat(device(first).id().hasPurr(device(other).id().purr())).isFalse();
        assertThat(device(first).id().purr()).doesNotContain(device(first).id().value());
    }

    @Test
    void aDeviceThatCannotBePushedToIsGivenNoReference() {
        assertThat(new Phone(ALICE)
                        .register("Contact: <sip:alice@10.0.0.1;pn-provider=apns>" + INSTANCE)
                        .response()
                        .toString())
                .doesNotContain("pnspurr");
    }

    @Test
    void anOlderLinphoneAppIsUnderstoodAndItsTokenKeptFromOthers() {
        Phone phone = new Phone(ALICE);
        Registration registration = phone.register("Contact: <sip:alice@10.0.0.1;transport=tcp;app-id=com.example.phone"
                + ".voip.dev;pn-type=apple;pn-tok=" + TOKEN.toUpperCase(Locale.ROOT) + ";pn-silent=1;pn-timeout=0>");

        PushTarget target = device(registration).target().orElseThrow();
        assertThat(target.environment()).isEqualTo(ApnsEnvironment.SANDBOX);
        assertThat(target.bundleId()).isEqualTo("com.example.phone");
        assertThat(target.voip()).contains(new PushToken(TOKEN));
        Registration other = phone.register("Contact: <sip:alice@10.0.0.2>");
        assertThat(other.response().toString().toLowerCase(Locale.ROOT)).doesNotContain(TOKEN, "app-id", "pn-tok");
    }

    @Test
    void anAppOfPortSipIsUnderstood() {
        Registration registration = new Phone(ALICE).register("Contact: <sip:alice@10.0.0.1>", portSip("ios", true));

        PushTarget target = device(registration).target().orElseThrow();
        assertThat(target.environment()).isEqualTo(ApnsEnvironment.PRODUCTION);
        assertThat(target.voip()).contains(new PushToken(TOKEN));
        assertThat(target.regular()).contains(new PushToken(OTHER_TOKEN));
        assertThat(registration.response().toString()).doesNotContain(TOKEN);
    }

    @Test
    void anAppOfPortSipOnAndroidOrWithPushingSwitchedOffMayRegisterAndIsNotPushed() {
        Phone phone = new Phone(ALICE);
        for (String header : List.of(portSip("android", true), portSip("ios", false))) {
            Registration registration = phone.register("Contact: <sip:alice@10.0.0.1>", header);

            assertThat(status(registration)).isEqualTo(200);
            assertThat(device(registration).target()).isEmpty();
        }
    }

    @Test
    void anAppOfPortSipThatLeavesWithItsHeaderGoesToSleep() {
        Phone phone = new Phone(ALICE);
        phone.register("Contact: <sip:alice@10.0.0.1>" + INSTANCE, portSip("ios", true));
        phone.register("Contact: <sip:alice@10.0.0.1>;expires=0" + INSTANCE, portSip("ios", true));

        assertThat(directory.devices(ALICE)).singleElement().satisfies(device -> {
            assertThat(device.bindings()).isEmpty();
            assertThat(device.isPushable()).isTrue();
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"", INSTANCE})
    void aPhoneStaysOneDeviceWhateverDialectPortAndCallItRegistersWith(String firstInstance) {
        Phone phone = new Phone(ALICE);
        Device first = device(phone.register("Contact: <sip:alice@10.0.0.1" + PUSH + ">" + firstInstance));

        phone.from("203.0.113.4", 1025).callId = "second";
        phone.register("Contact: <sip:alice@10.0.0.2:1025;pn-provider=apns;pn-param=ABCDE12345.com.example.phone"
                + ".voip&remote;pn-prid=" + OTHER_TOKEN + ":remote&" + TOKEN + ":voip>");
        phone.from("203.0.113.5", 1026).callId = "third";
        phone.register(
                "Contact: <sip:alice@10.0.0.3:1026;pn-type=apple;app-id=com.example.phone.prod;pn-tok=" + TOKEN + ">");
        phone.from("203.0.113.6", 1027).callId = "fourth";
        phone.register("Contact: <sip:alice@10.0.0.4:1027>", portSip("ios", true));

        assertThat(directory.devices(ALICE)).singleElement().satisfies(device -> {
            assertThat(device.id()).isEqualTo(first.id());
            assertThat(device.bindings())
                    .singleElement()
                    .satisfies(binding -> assertThat(binding.contact()).isEqualTo("sip:alice@10.0.0.4:1027"));
            assertThat(device.target().orElseThrow().regular()).contains(new PushToken(OTHER_TOKEN));
        });
    }

    @Test
    void aPhoneThatGivesItsInstanceForTheFirstTimeIsNotRungTwice() {
        Phone phone = new Phone(ALICE);
        phone.register("Contact: <sip:alice@10.0.0.1" + PUSH + ">");
        Device known = device(phone.register("Contact: <sip:alice@10.0.0.2" + PUSH + ">" + INSTANCE));

        assertThat(directory.devices(ALICE)).containsExactly(known);
        assertThat(known.identity()).startsWith("instance:");
    }

    private static String portSip(String system, boolean calls) {
        return "x-p-push: device-os=" + system + ";device-uid=" + TOKEN + "|" + OTHER_TOKEN + ";allow-call-push="
                + calls + ";allow-message-push=true;app-id=com.example.phone";
    }

    @Test
    void aTokenThatTheUriCannotHoldIsReadAllTheSame() {
        String described = "<" + TOKEN.replaceAll("(.{8})(?=.)", "$1 ") + ">";
        String base64 = "APwTrf94USK0rSiAmjQgmCNBJBQhNICXh45XfJkd6PA=";
        Phone phone = new Phone(ALICE);
        for (String printed : List.of(described, base64)) {
            Registration registration =
                    phone.register("Contact: <sip:alice@10.0.0.1" + PUSH.replace(TOKEN, printed) + ">" + INSTANCE);

            assertThat(device(registration).target().orElseThrow().voip())
                    .as(printed)
                    .contains(new PushToken(TOKEN));
        }
    }

    @Test
    void aBindingTooShortForPushesIsRefused() {
        SIPResponse response = new Phone(ALICE)
                .register("Contact: <sip:alice@10.0.0.1" + PUSH + ">;expires=299" + INSTANCE)
                .response();

        assertThat(response.getStatusCode()).isEqualTo(423);
        assertThat(response.toString()).contains("Min-Expires: 300");
    }

    @Test
    void otherPushServicesAreNotSupported() {
        for (String contact : List.of(
                "Contact: <sip:alice@10.0.0.1;pn-provider=fcm;pn-param=x;pn-prid=y>",
                "Contact: <sip:alice@10.0.0.1;pn-provider=fcm>")) {
            SIPResponse response = new Phone(ALICE).register(contact).response();

            assertThat(response.getStatusCode()).isEqualTo(555);
            assertThat(response.getReasonPhrase()).isEqualTo("Push Notification Service Not Supported");
        }
        assertThat(directory.devices(ALICE)).isEmpty();
    }

    @Test
    void anAppThatIsNotConfiguredIsNamed() {
        SIPResponse response = new Phone(ALICE)
                .register("Contact: <sip:alice@10.0.0.1" + PUSH.replace("phone", "other") + ">")
                .response();

        assertThat(response.getStatusCode()).isEqualTo(555);
        assertThat(warning(response)).contains("com.example.other");
    }

    @ParameterizedTest
    @ValueSource(strings = {"22fc13adff785122b4a", "%00%FC%13%AD%FFxQ", "(null)", "", "zz"})
    void aDamagedTokenIsExplainedAndNotEchoed(String token) {
        SIPResponse response = new Phone(ALICE)
                .register("Contact: <sip:alice@10.0.0.1" + PUSH.replace(TOKEN, token) + ">" + INSTANCE)
                .response();

        assertThat(response.getStatusCode()).isEqualTo(400);
        assertThat(warning(response)).contains("hexadecimal digits").contains("such as");
        if (!token.isEmpty()) {
            assertThat(response.toString()).doesNotContain(token);
        }
        assertThat(directory.devices(ALICE)).isEmpty();
    }

    @Test
    void aPhoneWhoseBindingRanOutCanStillBeWoken() {
        Phone phone = new Phone(ALICE);
        phone.register("Contact: <sip:alice@10.0.0.1" + PUSH + ">;expires=300" + INSTANCE);
        clock.advance(Duration.ofDays(3));

        Registration other = phone.register("Contact: <sip:alice@10.0.0.2>");

        assertThat(contacts(other)).containsExactly("<sip:alice@10.0.0.2>;expires=3600");
        assertThat(directory.devices(ALICE)).hasSize(2).anyMatch(Device::isPushable);
    }

    @Test
    void aPhoneThatLeavesWithItsTokenSleepsAndOneThatLeavesItOutIsGone() {
        Phone phone = new Phone(ALICE);
        phone.register("Contact: <sip:alice@10.0.0.1" + PUSH + ">" + INSTANCE);

        Registration asleep = phone.register("Contact: <sip:alice@10.0.0.1" + PUSH + ">;expires=0" + INSTANCE);
        assertThat(asleep.registered()).isEmpty();
        assertThat(asleep.response().getContactHeaders()).isNull();
        assertThat(directory.devices(ALICE)).hasSize(1).allMatch(Device::isPushable);

        phone.register("Contact: <sip:alice@10.0.0.1>;expires=0" + INSTANCE);
        assertThat(directory.devices(ALICE)).isEmpty();
    }

    @Test
    void aPhoneThatStaysButLeavesItsTokenOutIsNotPushedAnyMore() {
        Phone phone = new Phone(ALICE);
        phone.register("Contact: <sip:alice@10.0.0.1" + PUSH + ">" + INSTANCE);

        Device device = device(phone.register("Contact: <sip:alice@10.0.0.1>" + INSTANCE));

        assertThat(device.isPushable()).isFalse();
        assertThat(device.bindings()).hasSize(1);
    }

    @Test
    void aDeadTokenStaysDeadUntilThereIsAnother() {
        Phone phone = new Phone(ALICE);
        Device device = device(phone.register("Contact: <sip:alice@10.0.0.1" + PUSH + ">" + INSTANCE));
        directory.tokenDied(device.id(), new PushToken(TOKEN), clock.instant(), "Unregistered");

        assertThat(device(phone.register("Contact: <sip:alice@10.0.0.1" + PUSH + ">" + INSTANCE))
                        .isPushable())
                .isFalse();
        assertThat(device(phone.register(
                                "Contact: <sip:alice@10.0.0.1" + PUSH.replace(TOKEN, OTHER_TOKEN) + ">" + INSTANCE))
                        .isPushable())
                .isTrue();
    }

    @Test
    void aTokenFollowsThePhoneToItsNewUser() {
        Phone phone = new Phone(ALICE);
        phone.register("Contact: <sip:alice@10.0.0.1" + PUSH + ">" + INSTANCE);
        clock.advance(Duration.ofMinutes(1));

        Device bobs = device(new Phone(BOB).register("Contact: <sip:bob@10.0.0.1" + PUSH + ">" + INSTANCE));

        assertThat(bobs.isPushable()).isTrue();
        assertThat(directory.devices(ALICE)).noneMatch(Device::isPushable);
        assertThat(store.devices.values()).filteredOn(Device::isPushable).containsExactly(bobs);
    }

    @Test
    void aTokenFollowsTheAppThroughAReinstallation() {
        Phone phone = new Phone(ALICE);
        phone.register("Contact: <sip:alice@10.0.0.1" + PUSH + ">" + INSTANCE);
        clock.advance(Duration.ofDays(1));

        Device again = device(
                phone.register("Contact: <sip:alice@10.0.0.1" + PUSH + ">" + INSTANCE.replace("000A95", "FFFFFF")));

        assertThat(directory.devices(ALICE)).filteredOn(Device::isPushable).containsExactly(again);
    }

    @Test
    void aUsersOtherDevicesDoNotSeeTheToken() {
        Phone phone = new Phone(ALICE);
        phone.register("Contact: <sip:alice@10.0.0.1;transport=tcp" + PUSH + ">" + INSTANCE);

        Registration other = phone.register("Contact: <sip:alice@10.0.0.2>");

        assertThat(contacts(other))
                .containsExactlyInAnyOrder(
                        "<sip:alice@10.0.0.1;transport=tcp>" + INSTANCE + ";expires=3600",
                        "<sip:alice@10.0.0.2>;expires=3600");
        assertThat(other.response().toString()).doesNotContain("pn-");
        assertThat(phone.register().response().toString()).doesNotContain("pn-");
    }

    @Test
    void aContactThatIsNoSipUriIsRefused() {
        assertThat(status(new Phone(ALICE).register("Contact: <mailto:alice@example.com>")))
                .isEqualTo(400);
        assertThat(status(new Phone(ALICE).register("Contact: <sip:alice@10.0.0.1>;q=7")))
                .isEqualTo(400);
    }

    @Test
    void nothingInAContactRaisesAnException() {
        Random random = new Random(3261);
        String good = "<sip:alice@10.0.0.1;transport=tcp" + PUSH + ">;q=0.7;reg-id=1;expires=600" + INSTANCE;
        String letters = "\"\\,= \t;:@<>%[]()/0aZ&?*é\u0001";
        Phone phone = new Phone(ALICE);
        for (int i = 0; i < 2_000; i++) {
            StringBuilder text = new StringBuilder(good);
            for (int edits = 1 + random.nextInt(5); edits > 0 && text.length() > 2; edits--) {
                int at = random.nextInt(text.length());
                int until = Math.min(text.length(), at + 1 + random.nextInt(30));
                switch (random.nextInt(3)) {
                    case 0 -> text.delete(at, until);
                    case 1 -> text.insert(random.nextInt(text.length()), text.substring(at, until));
                    default -> text.insert(at, letters.charAt(random.nextInt(letters.length())));
                }
            }
            String contact = "Contact: " + text;
            assertThatCode(() -> assertThat(status(phone.register(contact, "Supported: outbound")))
                            .isBetween(200, 599))
                    .as(contact)
                    .doesNotThrowAnyException();
        }
    }

    private static int status(Registration registration) {
        return registration.response().getStatusCode();
    }

    private static SIPResponse answer(CompletableFuture<Registration> registration) {
        return registration.join().response();
    }

    private static Device device(Registration registration) {
        return registration.registered().orElseThrow().device();
    }

    private static List<String> contacts(Registration registration) {
        List<String> contacts = new ArrayList<>();
        SIPHeader written = (SIPHeader) registration.response().getHeader("Contact");
        try {
            if (written != null && StringMsgParser.parseSIPHeader(written.encode()) instanceof ContactList list) {
                list.forEach(contact -> contacts.add(contact.getHeaderValue()));
            }
        } catch (ParseException e) {
            throw new AssertionError(e);
        }
        return contacts;
    }

    private static String featureCaps(Registration registration) {
        return registration
                .response()
                .getHeader("Feature-Caps")
                .toString()
                .replace("Feature-Caps: ", "")
                .strip();
    }

    private static String purr(Registration registration) {
        return ";+sip.pnspurr=\"" + device(registration).id().purr() + "\"";
    }

    private static String warning(SIPResponse response) {
        String warning = response.getHeader("Warning").toString();
        assertThat(warning).startsWith("Warning: 399 pushbridge \"");
        return warning;
    }

    /** A client that registers and answers challenges. */
    private final class Phone {
        private final Aor user;
        private Aor to;
        private String server = "sip:example.com";
        private String callId = "registration";
        private long cseq;
        private Optional<String> proxy = Optional.empty();
        private Flow flow = new Flow(
                "tcp", new InetSocketAddress("192.0.2.9", 5060), new InetSocketAddress("198.51.100.1", 40000), 1);

        Phone(Aor user) {
            this.user = user;
            this.to = user;
        }

        Phone from(String address, int port) {
            flow = new Flow("tcp", flow.local(), new InetSocketAddress(address, port), flow.connection() + 1);
            return this;
        }

        Registration register(String... headers) {
            return send(headers).join();
        }

        /** Registers, once more with credentials if it is asked to. */
        CompletableFuture<Registration> send(String... headers) {
            CompletableFuture<Registration> first =
                    registrar.register(request(List.of(headers)), flow).toCompletableFuture();
            if (!first.isDone() || answer(first).getStatusCode() != 401) {
                return first;
            }
            String challenge = answer(first).getHeader("WWW-Authenticate").toString();
            List<String> lines = new ArrayList<>(List.of(headers));
            lines.add(
                    "Authorization: " + new DigestClient(user.user(), "secret").answer(challenge, "REGISTER", server));
            return registrar.register(request(lines), flow).toCompletableFuture();
        }

        SIPRequest request(List<String> headers) {
            cseq++;
            List<String> lines = new ArrayList<>();
            lines.add("REGISTER " + server + " SIP/2.0");
            proxy.ifPresent(lines::add);
            lines.add("Via: SIP/2.0/TCP 10.0.0.1;rport;branch=z9hG4bK" + cseq);
            lines.add("From: <" + user + ">;tag=1");
            lines.add("To: <" + to + ">");
            lines.add("Call-ID: " + callId);
            lines.add("CSeq: " + cseq + " REGISTER");
            lines.addAll(headers);
            return SipText.parse(lines.toArray(String[]::new));
        }
    }
}
