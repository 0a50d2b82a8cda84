package org.pushbridge.sip;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import javax.xml.stream.XMLOutputFactory;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamWriter;
import org.pushbridge.device.Aor;

/**
 * The document that tells a device which of its calls are alive (RFC 4235 section 4). Always the full state: a call that
 * is not in it is over.
 *
 * @param entity the device's user
 * @param version 0 in the first document of a subscription, and one more in each that follows (section 4.1)
 */
record DialogInfo(Aor entity, long version, List<LiveDialog> dialogs) {
    static final String CONTENT_SUBTYPE = "dialog-info+xml";
    static final String CONTENT_TYPE = "application/" + CONTENT_SUBTYPE;

    private static final String NAMESPACE = "urn:ietf:params:xml:ns:dialog-info";
    /** The JDK's own writer, whatever else is on the class path. */
    private static final XMLOutputFactory WRITERS = XMLOutputFactory.newDefaultFactory();

    DialogInfo {
        dialogs = List.copyOf(dialogs);
    }

    /** The document in UTF-8. */
    byte[] xml() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);
        try {
            XMLStreamWriter writer = WRITERS.createXMLStreamWriter(bytes, StandardCharsets.UTF_8.name());
            writer.writeStartDocument(StandardCharsets.UTF_8.name(), "1.0");
            writer.writeStartElement("dialog-info");
            writer.writeDefaultNamespace(NAMESPACE);
            attribute(writer, "version", Long.toString(version));
            attribute(writer, "state", "full");
            attribute(writer, "entity", uri());
            for (LiveDialog dialog : dialogs) {
                write(writer, dialog);
            }
            writer.writeEndElement();
            writer.writeEndDocument();
            writer.close();
        } catch (XMLStreamException e) {
            throw new IllegalStateException("A dialog-info document for " + entity + " could not be written", e);
        }
        return bytes.toByteArray();
    }

    private String uri() {
        return "sip:" + Messages.userPart(entity.user()) + "@" + entity.host();
    }

    private void write(XMLStreamWriter writer, LiveDialog dialog) throws XMLStreamException {
        writer.writeStartElement("dialog");
        attribute(writer, "id", dialog.id());
        attribute(writer, "call-id", dialog.callId());
        attributeIfPresent(writer, "local-tag", dialog.localTag());
        attributeIfPresent(writer, "remote-tag", dialog.remoteTag());
        attribute(writer, "direction", dialog.direction().word());
        writer.writeStartElement("state");
        writer.writeCharacters(dialog.state().word());
        writer.writeEndElement();
        participant(writer, "local", uri(), "");
        participant(writer, "remote", dialog.remoteUri(), dialog.remoteName());
        writer.writeEndElement();
    }

    private static void participant(XMLStreamWriter writer, String which, String identity, String name)
            throws XMLStreamException {
        writer.writeStartElement(which);
        writer.writeStartElement("identity");
        if (!name.isEmpty()) {
            attribute(writer, "display-name", name);
        }
        writer.writeCharacters(sayable(identity));
        writer.writeEndElement();
        writer.writeEndElement();
    }

    private static void attributeIfPresent(XMLStreamWriter writer, String name, Optional<String> value)
            throws XMLStreamException {
        if (value.isPresent()) {
            attribute(writer, name, value.get());
        }
    }

    private static void attribute(XMLStreamWriter writer, String name, String value) throws XMLStreamException {
        writer.writeAttribute(name, sayable(value));
    }

    /** XML 1.0 section 2.2: these code points cannot stand in a document at all, not even escaped. */
    private static String sayable(String text) {
        StringBuilder clean = new StringBuilder(text.length());
        text.codePoints().map(c -> isXml(c) ? c : '\uFFFD').forEach(clean::appendCodePoint);
        return clean.toString();
    }

    private static boolean isXml(int codePoint) {
        return codePoint == '\t'
                || codePoint == '\n'
                || codePoint == '\r'
                || (codePoint >= 0x20 && codePoint <= 0xD7FF)
                || (codePoint >= 0xE000 && codePoint <= 0xFFFD)
                || codePoint >= 0x10000;
    }
}
