package org.pushbridge.sip.stack;

import gov.nist.core.LogLevels;
import gov.nist.core.StackLogger;
import java.util.Properties;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;

/**
 * Sends JAIN-SIP's own log to log4j 2, one level down, for it calls errors what any stranger can cause. Without it,
 * JAIN-SIP wants log4j 1.2. Public because JAIN-SIP makes it by name.
 */
public final class JainLog implements StackLogger {
    private static final Logger LOG = LogManager.getLogger("org.pushbridge.sip.stack.jain");

    // Found out once: JAIN-SIP asks a hundred times for each message.
    private static final boolean TRACES = LOG.isTraceEnabled();
    private static final boolean DEBUGS = LOG.isDebugEnabled();
    private static final boolean WARNS = LOG.isWarnEnabled();

    @Override
    public boolean isLoggingEnabled() {
        return WARNS;
    }

    @Override
    public boolean isLoggingEnabled(int level) {
        if (level >= LogLevels.TRACE_DEBUG) {
            return TRACES;
        }
        return level >= LogLevels.TRACE_WARN ? DEBUGS : WARNS;
    }

    @Override
    public void logException(Throwable problem) {
        LOG.warn("JAIN-SIP caught an exception", problem);
    }

    @Override
    public void logDebug(String message) {
        LOG.trace(message);
    }

    @Override
    public void logDebug(String message, Exception problem) {
        LOG.trace(message, problem);
    }

    @Override
    public void logTrace(String message) {
        LOG.trace(message);
    }

    @Override
    public void logFatalError(String message) {
        LOG.error(message);
    }

    @Override
    public void logError(String message) {
        LOG.warn(message);
    }

    @Override
    public void logError(String message, Exception problem) {
        LOG.warn(message, problem);
    }

    @Override
    public void logWarning(String message) {
        LOG.debug(message);
    }

    @Override
    public void logInfo(String message) {
        LOG.debug(message);
    }

    @Override
    public void logStackTrace() {
        // Asked for at debug level to show where a call came from: too dear for what it tells.
    }

    @Override
    public void logStackTrace(int level) {
        // As above.
    }

    @Override
    public int getLineCount() {
        return 0;
    }

    @Override
    public void disableLogging() {
        // log4j 2 decides.
    }

    @Override
    public void enableLogging() {
        // log4j 2 decides.
    }

    @Override
    public void setBuildTimeStamp(String timeStamp) {
        // Not of interest.
    }

    @Override
    public void setStackProperties(Properties properties) {
        // Configured through log4j 2.
    }

    @Override
    public String getLoggerName() {
        return LOG.getName();
    }
}
