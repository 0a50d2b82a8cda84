package org.pushbridge.sip.registrar;

import gov.nist.core.NameValue;
import gov.nist.javax.sip.address.SipUri;
import gov.nist.javax.sip.header.Contact;
import gov.nist.javax.sip.header.ContactList;
import gov.nist.javax.sip.header.SIPHeader;
import gov.nist.javax.sip.parser.StringMsgParser;
import java.text.ParseException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Pattern;
import org.pushbridge.device.Binding;
import org.pushbridge.device.Device;
import org.pushbridge.device.DeviceId;
import org.pushbridge.device.PushReading;
import org.pushbridge.device.PushToken;

/**
 * One Contact of a REGISTER, read.
 *
 * @param uri as received
 * @param key what it shares with a Contact that counts as the same (RFC 3261 section 19.1.4)
 * @param parameters those of the header, {@code ;name=value}, without q and expires
 * @param q thousandths
 * @param expires what the parameter says, if it is there
 * @param instance {@code +sip.instance}, lower case, without brackets
 * @param regId {@code reg-id} (RFC 5626), if it counts
 * @param wakesItself whether {@code +sip.pnsreg} is there
 * @param push what it says about pushing, in whatever dialect
 * @param spelled how it said that
 */
record RequestedContact(
        String uri,
        String key,
        String parameters,
        int q,
        Optional<Duration> expires,
        Optional<String> instance,
        OptionalInt regId,
        boolean wakesItself,
        PushReading push,
        Spelled spelled) {
    private static final int WHOLE = 1000;
    private static final Pattern SECONDS = Pattern.compile("[0-9]{1,20}");
    private static final Pattern Q = Pattern.compile("0(\\.[0-9]{0,3})?|1(\\.0{0,3})?");

    /**
     * What was said about pushing, as received.
     *
     * @param provider {@code pn-provider}, or what stands for it in a dialect; empty if there is none, like the others
     * @param param {@code pn-param}
     * @param prid {@code pn-prid}; a secret
     */
    record Spelled(String provider, String param, String prid) {
        @Override
        public String toString() {
            return "Spelled[" + provider + " " + param + "]";
        }
    }

    /** A reading, and what was read. */
    record Push(PushReading reading, Spelled spelled) {}

    /**
     * @param header what the REGISTER says about pushing outside its Contacts; for a Contact that says nothing itself
     * @param outbound whether the device supports outbound; else its reg-id does not count (RFC 5626 section 6)
     * @param known the devices that the user has
     * @throws RefusedException for what cannot be a Contact
     */
    static RequestedContact of(Contact contact, Optional<Push> header, boolean outbound, List<Device> known) {
        if (!(contact.getAddress().getURI() instanceof SipUri uri) || uri.getHost() == null) {
            throw new RefusedException(400, "Contact Is Not A SIP URI");
        }
        String written = uri.toString();
        String parameters = otherParameters(contact);
        // What was accepted before was looked at then; most REGISTERs are refreshes.
        if (!isAccepted(written, parameters, known)) {
            requireWritable(written, parameters);
        }
        Push push = push(uri, header);
        Optional<String> expires = Optional.ofNullable(contact.getParameter("expires"));
        Optional<String> instance = Addresses.instance(contact);
        return new RequestedContact(
                written,
                Addresses.contactKey(uri),
                parameters,
                preference(Optional.ofNullable(contact.getParameter("q"))),
                expires.map(RequestedContact::seconds),
                instance,
                outbound && instance.isPresent()
                        ? regId(Optional.ofNullable(contact.getParameter("reg-id")))
                        : OptionalInt.empty(),
                contact.hasParameters() && contact.getContactParms().getNameValue("+sip.pnsreg") != null,
                push.reading(),
                push.spelled());
    }

    private static boolean isAccepted(String uri, String parameters, List<Device> known) {
        for (Device device : known) {
            for (Binding binding : device.bindings()) {
                if (binding.contact().equals(uri) && binding.contactParameters().equals(parameters)) {
                    return true;
                }
            }
        }
        return false;
    }

    /** It goes into the 200 to every REGISTER of the user, so what is read has to be readable again. */
    private static void requireWritable(String uri, String parameters) {
        try {
            SIPHeader again = StringMsgParser.parseSIPHeader("Contact: <" + uri + ">" + parameters + ";expires=1");
            if (again instanceof ContactList list
                    && list.size() == 1
                    && list.getFirst() instanceof Contact one
                    && uri.equals(String.valueOf(one.getAddress().getURI()))
                    && Addresses.sipUri(uri).isPresent()) {
                return;
            }
        } catch (ParseException | RuntimeException unreadable) {
            // As below. The message would show the token.
        }
        throw new RefusedException(400, "Contact Cannot Be Read");
    }

    private static Push push(SipUri uri, Optional<Push> header) {
        Optional<String> provider = Optional.ofNullable(uri.getParameter("pn-provider"));
        Optional<String> prid = Optional.ofNullable(uri.getParameter("pn-prid"));
        Optional<String> type = Optional.ofNullable(uri.getParameter("pn-type"));
        if (provider.isPresent() || prid.isPresent()) {
            Optional<String> param = Optional.ofNullable(uri.getParameter("pn-param"));
            return new Push(
                    PushReading.of(provider, param, prid),
                    new Spelled(provider.orElse(""), param.orElse(""), prid.orElse("")));
        }
        if (type.isPresent()) {
            Optional<String> appId = Optional.ofNullable(uri.getParameter("app-id"));
            Optional<String> token = Optional.ofNullable(uri.getParameter("pn-tok"));
            return new Push(
                    PushReading.ofFlexisip(type, appId, token),
                    new Spelled(type.get(), appId.orElse(""), token.orElse("")));
        }
        return header.orElse(new Push(new PushReading.Absent(), new Spelled("", "", "")));
    }

    /** Delta-seconds; anything else counts as an hour, and what is too large for Java as 24 years (RFC 3261 20.19). */
    static Duration seconds(String text) {
        String digits = text.strip();
        if (!SECONDS.matcher(digits).matches()) {
            return Duration.ofHours(1);
        }
        return Duration.ofSeconds(digits.length() > 9 ? 999_999_999 : Integer.parseInt(digits));
    }

    /**
     * What tells the device from the user's others: its instance, else its push target, else its Contact
     * ({@link DeviceId#of}). Of the target only one token counts, for some dialects carry but one. Holds no token.
     */
    String identity() {
        if (instance.isPresent()) {
            return Addresses.identityOfInstance(instance.get());
        }
        if (push instanceof PushReading.Target target) {
            String triplet = String.join(
                    " ",
                    target.environment().name(),
                    target.bundleId(),
                    target.voip()
                            .or(target::regular)
                            .map(PushToken::hex)
                            .orElseThrow(() -> new IllegalStateException("A target has one token at least")));
            return "push:" + DigestAlgorithm.SHA_256.hash(triplet);
        }
        return "contact:" + key;
    }

    static boolean isInstance(String identity) {
        return Addresses.isInstance(identity);
    }

    private static String otherParameters(Contact contact) {
        StringBuilder text = new StringBuilder();
        contact.getContactParms().getNames().forEachRemaining(name -> {
            NameValue parameter = contact.getContactParms().getNameValue(name);
            if (!name.equalsIgnoreCase("q") && !name.equalsIgnoreCase("expires")) {
                text.append(';').append(parameter.encode());
            }
        });
        return text.toString();
    }

    private static int preference(Optional<String> q) {
        if (q.isEmpty()) {
            return WHOLE;
        }
        if (!Q.matcher(q.get()).matches()) {
            throw new RefusedException(400, "Contact q Is Not Between 0 And 1");
        }
        return (int) Math.round(Double.parseDouble(q.get()) * WHOLE);
    }

    /** RFC 5626 section 9: 1 to 2^31 - 1. */
    private static OptionalInt regId(Optional<String> value) {
        if (value.isEmpty() || !value.get().matches("[0-9]{1,10}")) {
            return OptionalInt.empty();
        }
        long number = Long.parseLong(value.get());
        return number >= 1 && number <= Integer.MAX_VALUE ? OptionalInt.of((int) number) : OptionalInt.empty();
    }
}
