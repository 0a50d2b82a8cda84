package org.pushbridge.sip.registrar;

import gov.nist.javax.sip.header.Contact;
import gov.nist.javax.sip.header.ContactList;
import gov.nist.javax.sip.header.SIPHeader;
import gov.nist.javax.sip.parser.StringMsgParser;
import java.text.ParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.pushbridge.device.TokenReading;

/**
 * A Contact that the parser could not read because an app put a device token into it as its framework printed it, with
 * characters that have to be escaped in a URI.
 */
final class DamagedContact {
    private static final Pattern CONTACT = Pattern.compile("(?is)(contact|m)\\s*:.*");
    /** An NSData description or base64; where it ends is certain. */
    private static final Pattern PRINTED_TOKEN =
            Pattern.compile("(?i)(;\\s*pn-(?:prid|tok)=)(<[0-9a-f ]*>|[0-9a-z+/_-]+={1,2})(?=[;>:&])");

    private DamagedContact() {}

    static boolean isContact(String line) {
        return CONTACT.matcher(line).matches();
    }

    /** The Contacts of the line, with the token in hexadecimal digits, if that is all that was wrong. */
    static Optional<List<Contact>> mended(String line) {
        Matcher token = PRINTED_TOKEN.matcher(line);
        if (!token.find() || !(TokenReading.of(token.group(2)) instanceof TokenReading.Sound sound)) {
            return Optional.empty();
        }
        try {
            SIPHeader header = StringMsgParser.parseSIPHeader(
                    line.substring(0, token.start(2)) + sound.token().hex() + line.substring(token.end(2)));
            List<Contact> contacts = new ArrayList<>();
            if (header instanceof ContactList list) {
                contacts.addAll(list);
            }
            return contacts.isEmpty() ? Optional.empty() : Optional.of(contacts);
        } catch (ParseException | RuntimeException stillDamaged) {
            return Optional.empty();
        }
    }

    /** What is wrong, for the app's developer; holds nothing of the line. */
    static String explanation(String line) {
        boolean holdsToken = line.matches("(?is).*;\\s*pn-(prid|tok)\\s*=.*");
        if (holdsToken && line.chars().anyMatch(c -> c > '~' || c < ' ')) {
            return TokenReading.ofRawBytes().fault();
        }
        return "Contact cannot be read; if it carries a device token, write that as hexadecimal digits, "
                + "such as pn-prid=00fc13adff785122b4ad28809a342098";
    }
}
