package org.pushbridge.sim.phone;

import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import javax.xml.XMLConstants;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import javax.xml.validation.Schema;
import javax.xml.validation.SchemaFactory;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.ErrorHandler;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;
import org.xml.sax.SAXParseException;

/**
 * A dialog information document (RFC 4235 section 4), valid by its schema.
 *
 * @param version as it stands there
 * @param full whether the state is full, not partial
 * @param entity whose dialogs these are
 */
record DialogInfo(long version, boolean full, String entity, List<Dialog> dialogs) {
    private static final String NAMESPACE = "urn:ietf:params:xml:ns:dialog-info";
    private static final Set<String> STATES = Set.of("trying", "proceeding", "early", "confirmed", "terminated");
    private static final Schema SCHEMA = schema();

    /** One dialog in it. */
    record Dialog(String id, Optional<String> callId, String state) {
        boolean isAlive() {
            return !state.equals("terminated");
        }
    }

    /** Fails on everything that a parser would only remark. */
    private static final ErrorHandler STRICT = new ErrorHandler() {
        @Override
        public void warning(SAXParseException e) throws SAXException {
            throw e;
        }

        @Override
        public void error(SAXParseException e) throws SAXException {
            throw e;
        }

        @Override
        public void fatalError(SAXParseException e) throws SAXException {
            throw e;
        }
    };

    DialogInfo {
        dialogs = List.copyOf(dialogs);
    }

    private static Schema schema() {
        try {
            SchemaFactory factory = SchemaFactory.newInstance(XMLConstants.W3C_XML_SCHEMA_NS_URI);
            factory.setFeature(XMLConstants.FEATURE_SECURE_PROCESSING, true);
            return factory.newSchema(
                    Objects.requireNonNull(DialogInfo.class.getResource("dialog-info.xsd"), "dialog-info.xsd"));
        } catch (SAXException e) {
            throw new IllegalStateException("The schema of dialog-info is broken", e);
        }
    }

    /**
     * Reads a document.
     *
     * @throws IllegalArgumentException with what is wrong with it
     */
    static DialogInfo read(String xml) {
        Element root = parse(xml).getDocumentElement();
        List<Dialog> dialogs = new ArrayList<>();
        NodeList elements = root.getElementsByTagNameNS(NAMESPACE, "dialog");
        for (int i = 0; i < elements.getLength(); i++) {
            dialogs.add(dialog((Element) elements.item(i)));
        }
        long ids = dialogs.stream().map(Dialog::id).distinct().count();
        if (ids != dialogs.size()) {
            throw new IllegalArgumentException("two dialogs have the same id");
        }
        return new DialogInfo(
                Long.parseLong(root.getAttribute("version")),
                root.getAttribute("state").equals("full"),
                root.getAttribute("entity"),
                dialogs);
    }

    private static Dialog dialog(Element element) {
        String state = element.getElementsByTagNameNS(NAMESPACE, "state")
                .item(0)
                .getTextContent()
                .strip();
        if (!STATES.contains(state)) {
            throw new IllegalArgumentException("a dialog has the state '" + state + "', which is none");
        }
        Optional<String> callId = Optional.of(element.getAttribute("call-id")).filter(id -> !id.isEmpty());
        return new Dialog(element.getAttribute("id"), callId, state);
    }

    private static Document parse(String xml) {
        try {
            DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
            factory.setFeature(XMLConstants.FEATURE_SECURE_PROCESSING, true);
            factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
            factory.setNamespaceAware(true);
            factory.setXIncludeAware(false);
            factory.setExpandEntityReferences(false);
            factory.setSchema(SCHEMA);
            DocumentBuilder builder = factory.newDocumentBuilder();
            builder.setErrorHandler(STRICT);
            return builder.parse(new InputSource(new StringReader(xml)));
        } catch (SAXException | IOException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        } catch (ParserConfigurationException e) {
            throw new IllegalStateException("Every JDK has a safe XML parser", e);
        }
    }
}
