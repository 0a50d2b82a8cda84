package org.pushbridge.sip;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import javax.xml.XMLConstants;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import javax.xml.transform.dom.DOMSource;
import javax.xml.validation.SchemaFactory;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/** A dialog-info document as a strict reader sees it: it must be valid by the schema of RFC 4235. */
record DialogInfoDocument(Element root) {
    private static final String NAMESPACE = "urn:ietf:params:xml:ns:dialog-info";

    static DialogInfoDocument of(byte[] xml) {
        try {
            DocumentBuilderFactory builders = DocumentBuilderFactory.newDefaultNSInstance();
            Document document = builders.newDocumentBuilder().parse(new ByteArrayInputStream(xml));
            SchemaFactory.newInstance(XMLConstants.W3C_XML_SCHEMA_NS_URI)
                    .newSchema(Objects.requireNonNull(DialogInfoDocument.class.getResource("dialog-info.xsd")))
                    .newValidator()
                    .validate(new DOMSource(document));
            return new DialogInfoDocument(document.getDocumentElement());
        } catch (SAXException | IOException | ParserConfigurationException e) {
            throw new AssertionError("Not valid: " + new String(xml, StandardCharsets.UTF_8), e);
        }
    }

    /** The body of a message read as one char a byte. */
    static DialogInfoDocument in(String message) {
        return of(Wire.body(message).getBytes(StandardCharsets.ISO_8859_1));
    }

    String attribute(String name) {
        return root.getAttribute(name);
    }

    List<Element> dialogs() {
        return children(root, "dialog");
    }

    /** The state of each dialog behind its Call-ID, such as {@code "abc@host early"}. */
    List<String> states() {
        return dialogs().stream()
                .map(d -> d.getAttribute("call-id") + " " + only(d, "state").getTextContent())
                .toList();
    }

    static Element identity(Element dialog, String participant) {
        return only(only(dialog, participant), "identity");
    }

    private static Element only(Element parent, String name) {
        List<Element> found = children(parent, name);
        if (found.size() != 1) {
            throw new AssertionError(found.size() + " elements " + name);
        }
        return found.get(0);
    }

    private static List<Element> children(Element parent, String name) {
        NodeList nodes = parent.getElementsByTagNameNS(NAMESPACE, name);
        return IntStream.range(0, nodes.getLength())
                .mapToObj(i -> (Element) nodes.item(i))
                .toList();
    }
}
