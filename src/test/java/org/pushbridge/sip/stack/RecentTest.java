package org.pushbridge.sip.stack;

import static org.assertj.core.api.Assertions.assertThat;

import gov.nist.javax.sip.address.AddressImpl;
import gov.nist.javax.sip.address.SipUri;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class RecentTest {
    private final Recent<Integer> recent = new Recent<>();

    @Test
    void whatWasKeptIsFoundWithinAnotherText() {
        recent.keep("abc", 0, 3, 1);

        assertThat(recent.find("xabcx", 1, 4)).isEqualTo(1);
        assertThat(recent.find("xabcx", 1, 5)).isNull();
        assertThat(recent.find("ABC", 0, 3)).isNull();
    }

    @Test
    void textsThatShareAPlaceAreNotTakenForOneAnother() {
        // These have the same hash.
        recent.keep("Aa", 0, 2, 1);
        assertThat(recent.find("BB", 0, 2)).isNull();

        recent.keep("BB", 0, 2, 2);
        assertThat(recent.find("BB", 0, 2)).isEqualTo(2);
        assertThat(recent.find("Aa", 0, 2)).isNull();
    }

    @Test
    void longTextsAreNotKept() {
        String longText = "a".repeat(5000);
        recent.keep(longText, 0, 5000, 1);

        assertThat(recent.find(longText, 0, 5000)).isNull();
    }

    @Test
    void aCloneOfASharedAddressMayBeChanged() throws Exception {
        AddressImpl shared = Objects.requireNonNull(PlainText.address("\"A\" <sip:a@192.0.2.1;x=1>"));
        assertThat(shared).isSameAs(PlainText.address("\"A\" <sip:a@192.0.2.1;x=1>"));

        AddressImpl clone = (AddressImpl) shared.clone();
        clone.setDisplayName("B");
        ((SipUri) clone.getURI()).removeParameter("x");
        ((SipUri) clone.getURI()).setUser("b");

        assertThat(clone).hasToString("\"B\" <sip:b@192.0.2.1>");
        assertThat(shared).hasToString("\"A\" <sip:a@192.0.2.1;x=1>");
        assertThat(PlainText.uri("sip:a@192.0.2.1;x=1")).hasToString("sip:a@192.0.2.1;x=1");
    }
}
