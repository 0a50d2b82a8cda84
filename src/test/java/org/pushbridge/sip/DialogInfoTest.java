package org.pushbridge.sip;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pushbridge.device.Aor;
import org.pushbridge.sip.LiveDialog.Direction;
import org.pushbridge.sip.LiveDialog.State;
import org.w3c.dom.Element;

/** The document of RFC 4235 section 4, checked against its schema. */
class DialogInfoTest {
    private static final Aor ALICE = Aor.parse("alice@example.com");

    private static LiveDialog from(String uri, String name) {
        return new LiveDialog(
                "1", "a@b", Optional.empty(), Optional.empty(), Direction.RECIPIENT, State.EARLY, uri, name);
    }

    private static DialogInfoDocument read(DialogInfo info) {
        return DialogInfoDocument.of(info.xml());
    }

    @Test
    void withoutCallsItIsAFullStateThatIsEmpty() {
        DialogInfoDocument document = read(new DialogInfo(ALICE, 7, List.of()));

        assertThat(document.attribute("state")).isEqualTo("full");
        assertThat(document.attribute("version")).isEqualTo("7");
        assertThat(document.attribute("entity")).isEqualTo("sip:alice@example.com");
        assertThat(document.dialogs()).isEmpty();
    }

    @Test
    void aCallHasItsIdsItsStateAndBothEnds() {
        LiveDialog early = from("sip:bob@example.org", "");
        LiveDialog confirmed = new LiveDialog(
                "2",
                "c@d",
                Optional.of("here"),
                Optional.of("there"),
                Direction.INITIATOR,
                State.CONFIRMED,
                "tel:+4930123",
                "Bob");

        List<Element> dialogs =
                read(new DialogInfo(ALICE, 0, List.of(early, confirmed))).dialogs();

        assertThat(read(new DialogInfo(ALICE, 0, List.of(early, confirmed))).states())
                .containsExactly("a@b early", "c@d confirmed");
        assertThat(dialogs.get(0).getAttribute("direction")).isEqualTo("recipient");
        assertThat(dialogs.get(0).hasAttribute("local-tag")).isFalse();
        assertThat(dialogs.get(1).getAttribute("id")).isEqualTo("2");
        assertThat(dialogs.get(1).getAttribute("direction")).isEqualTo("initiator");
        assertThat(dialogs.get(1).getAttribute("local-tag")).isEqualTo("here");
        assertThat(dialogs.get(1).getAttribute("remote-tag")).isEqualTo("there");
        Element remote = DialogInfoDocument.identity(dialogs.get(1), "remote");
        assertThat(remote.getTextContent()).isEqualTo("tel:+4930123");
        assertThat(remote.getAttribute("display-name")).isEqualTo("Bob");
        assertThat(DialogInfoDocument.identity(dialogs.get(1), "local").getTextContent())
                .isEqualTo("sip:alice@example.com");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"><state>confirmed</state><x y=\"",
                "]]>&amp;<!--",
                "&#0;&quot;'",
                "Jürgen 山田 \uD83D\uDCDE",
            })
    void aNameIsReadAsItWasWhateverStandsInIt(String name) {
        Element dialog = read(new DialogInfo(ALICE, 0, List.of(from("sip:a&b<c>@example.org;x=\"y\"", name))))
                .dialogs()
                .get(0);

        Element remote = DialogInfoDocument.identity(dialog, "remote");
        assertThat(remote.getAttribute("display-name")).isEqualTo(name);
        assertThat(remote.getTextContent()).isEqualTo("sip:a&b<c>@example.org;x=\"y\"");
    }

    @Test
    void whatNoDocumentMayHoldIsReplaced() {
        Element dialog = read(new DialogInfo(ALICE, 0, List.of(from("sip:a@b", "a\u0000b\u001bc\uD800d\uFFFEe"))))
                .dialogs()
                .get(0);

        assertThat(DialogInfoDocument.identity(dialog, "remote").getAttribute("display-name"))
                .isEqualTo("a\uFFFDb\uFFFDc\uFFFDd\uFFFDe");
    }

    @Test
    void theEntityIsAUriEvenIfTheUserPartNeedsEscapes() {
        assertThat(read(new DialogInfo(new Aor("anna \"<&", "example.com"), 0, List.of()))
                        .attribute("entity"))
                .isEqualTo("sip:anna%20%22%3C&@example.com");
    }
}
