package org.pushbridge.app;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.pushbridge.config.Config;
import org.pushbridge.config.ConfigException;
import picocli.CommandLine.Option;

/** {@code -c FILE}, for the commands that need the configuration. */
final class ConfigOption {
    @Option(
            names = {"-c", "--config"},
            paramLabel = "FILE",
            defaultValue = "${env:PUSHBRIDGE_CONFIG}",
            description = {
                "The configuration file. Without it, the one that the environment variable PUSHBRIDGE_CONFIG names,"
                        + " else the defaults."
            })
    @Nullable
    Path file;

    /** @throws ConfigException if it cannot be used */
    Config load() {
        return file == null ? Config.defaults() : Config.load(file);
    }
}
