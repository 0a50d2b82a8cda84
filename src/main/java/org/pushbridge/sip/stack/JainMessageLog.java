package org.pushbridge.sip.stack;

import gov.nist.core.ServerLogger;
import gov.nist.javax.sip.message.SIPMessage;
import java.util.Properties;
import javax.sip.SipStack;

/**
 * Keeps JAIN-SIP from writing its own message log. Messages are logged where they meet the wire. Public because
 * JAIN-SIP makes it by name.
 */
public final class JainMessageLog implements ServerLogger {
    @Override
    public void closeLogFile() {
        // There is none.
    }

    @Override
    public void logMessage(SIPMessage message, String from, String to, boolean sender, long time) {
        // See the class.
    }

    @Override
    public void logMessage(SIPMessage message, String from, String to, String status, boolean sender, long time) {
        // See the class.
    }

    @Override
    public void logMessage(SIPMessage message, String from, String to, String status, boolean sender) {
        // See the class.
    }

    @Override
    public void logException(Exception problem) {
        // Goes to JainLog as well.
    }

    @Override
    public void setStackProperties(Properties properties) {
        // None apply.
    }

    @Override
    public void setSipStack(SipStack stack) {
        // Not needed.
    }
}
