package org.pushbridge.app;

import java.lang.reflect.Proxy;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;

/**
 * Tells of each SIGTERM and SIGINT (Ctrl-C). The JDK's public way, a shutdown hook, hears the first alone;
 * {@code sun.misc.Signal} of the module {@code jdk.unsupported} hears all, and is taken by reflection since the compiler
 * warns of it in a way that cannot be switched off.
 */
final class EndSignals {
    private static final Logger LOG = LogManager.getLogger(EndSignals.class);

    private EndSignals() {}

    /** @param told gets 1 for the first, 2 for the second, and so on; called on a thread of its own */
    static void listen(IntConsumer told) {
        AtomicInteger count = new AtomicInteger();
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object counting = Proxy.newProxyInstance(
                    EndSignals.class.getClassLoader(), new Class<?>[] {handler}, (proxy, method, arguments) -> {
                        if (method.getName().equals("handle")) {
                            told.accept(count.incrementAndGet());
                        }
                        return null;
                    });
            for (String name : new String[] {"TERM", "INT"}) {
                Object one = signal.getConstructor(String.class).newInstance(name);
                signal.getMethod("handle", signal, handler).invoke(null, one, counting);
            }
        } catch (ReflectiveOperationException | RuntimeException e) {
            // Another JVM, or -Xrs: the shutdown hook stops the server then, without a drain.
            LOG.info("Signals cannot be heard here ({}): stopping will not wait for calls", e.toString());
        }
    }
}
