package org.pushbridge.app;

import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.apache.logging.log4j.core.config.Configurator;
import org.pushbridge.config.Config;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code pushbridge serve}: runs the server until the process is told to end (SIGTERM, or Ctrl-C). */
@Command(
        name = "serve",
        header = "Starts the server.",
        description = {
            "",
            "It runs until it is told to end, by Ctrl-C or SIGTERM. Then it takes no new calls, gives those that ring or"
                    + " wait the time calls.drain-limit, and stops; a second signal stops it at once. Its log goes to"
                    + " standard error.",
            "Without a configuration file it keeps its data in ./data, and its pushes go to a simulated APNs inside the"
                    + " server: SIP phones can register and call each other, but no iPhone is woken.",
            ""
        },
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        footer = {
            "",
            "For example:",
            "  pushbridge serve",
            "  pushbridge serve -c my.conf",
            "sip-config/pushbridge.conf is a commented file with everything that can be set."
        })
final class ServeCommand implements Callable<Integer> {
    private static final Logger LOG = LogManager.getLogger(ServeCommand.class);

    private final Function<Config, Server> start;

    @Mixin
    ConfigOption config = new ConfigOption();

    /** @param start see {@link Main#commandLine} */
    ServeCommand(Function<Config, Server> start) {
        this.start = start;
    }

    @Override
    public Integer call() throws InterruptedException {
        Config settings = config.load();
        Configurator.setLevel(
                "org.pushbridge", Level.valueOf(settings.log().level().name()));
        if (config.file == null) {
            LOG.info("Starting with the default configuration; -c FILE chooses another");
        } else {
            LOG.info("Starting with the configuration file={}", config.file);
        }
        if (settings.apns().simulated()) {
            LOG.warn("Pushes go to a simulated APNs inside this server: no iPhone will be woken"
                    + " (apns.simulated, apps)");
        }
        Server server = start.apply(settings);
        CountDownLatch told = new CountDownLatch(1);
        CountDownLatch toldAgain = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(server), "shutdown"));
        EndSignals.listen(time -> {
            told.countDown();
            if (time == 2) {
                LOG.warn("Told to stop again: not waiting for calls any more");
                toldAgain.countDown();
            } else if (time > 2) {
                LOG.warn("Told to stop a third time: gone");
                LogManager.shutdown();
                Runtime.getRuntime().halt(Main.FAILED);
            }
        });
        told.await();
        LOG.info("Stopping: new calls are refused; a second signal stops at once");
        server.drain(() -> toldAgain.getCount() == 0);
        return Main.OK; // and the shutdown hook stops the rest
    }

    private static void stop(AutoCloseable server) {
        try {
            server.close();
            LOG.info("Stopped");
        } catch (Exception e) {
            LOG.error("Stopping left something undone", e);
        }
        LogManager.shutdown();
    }
}
