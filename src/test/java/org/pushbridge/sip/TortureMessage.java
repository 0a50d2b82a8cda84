package org.pushbridge.sip;

import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.Set;
import org.pushbridge.sip.stack.Transport;

/**
 * One message that is hard on a parser, and what the bridge must do with it.
 *
 * @param name as in the RFC
 * @param hazard what makes it hard
 * @param text the message, with {@code {placeholders}}: {@code proto}, {@code me}, {@code bridge}, {@code id},
 *     {@code sp} (a space that must not be lost), {@code bel}, {@code del}, {@code length} (of the body), {@code binary}; a response also has
 *     {@code via}, {@code from}, {@code to}, {@code call-id}, {@code cseq} of the request it answers. Characters beyond
 *     ASCII travel as UTF-8
 * @param outcome what has to happen
 * @param why the reason for that, in a line
 * @param over the transports it makes sense on
 */
record TortureMessage(
        String name, String hazard, String text, TortureOutcome outcome, String why, Set<Transport> over) {
    static TortureMessage of(String name, String hazard, String text, TortureOutcome outcome, String why) {
        return new TortureMessage(name, hazard, text, outcome, why, EnumSet.allOf(Transport.class));
    }

    TortureMessage udpOnly() {
        return new TortureMessage(name, hazard, text, outcome, why, EnumSet.of(Transport.UDP));
    }

    boolean isResponse() {
        return text.startsWith("SIP/");
    }

    /** Bytes that no text has, the empty line and a NUL among them. */
    static String binary() {
        StringBuilder bytes = new StringBuilder("\r\n\r\n");
        for (int i = 0; i < 256; i++) {
            bytes.append((char) i);
        }
        return bytes.toString();
    }

    /** The message on the wire, one char a byte. */
    String written(String proto, String me, String bridge, int id) {
        String wire = new String(
                        text.replace("\n", "\r\n").getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1)
                .replace("{proto}", proto)
                .replace("{me}", me)
                .replace("{bridge}", bridge)
                .replace("{id}", Integer.toString(id))
                .replace("{sp}", " ")
                .replace("{bel}", "\u0007")
                .replace("{del}", "\u007f")
                .replace("{binary}", binary());
        int end = wire.indexOf("\r\n\r\n");
        return wire.replace("{length}", Integer.toString(wire.length() - end - 4));
    }

    @Override
    public String toString() {
        return name + ": " + hazard + " -> " + outcome + " (" + why + ")";
    }
}
