using System.Globalization;

namespace BackupEngine.Cli.CommandLine;

/// <summary>How often intents are refreshed and when they are stale, from the environment: every process that uses a store needs the same times, so there are no options for it.</summary>
internal static class IntentEnvironment
{
    private const string Refresh = "BACKUP_ENGINE_INTENT_REFRESH";
    private const string Stale = "BACKUP_ENGINE_INTENT_STALE";

    /// <exception cref="CommandException">A variable is not a span of time.</exception>
    public static RepositoryOptions Apply(RepositoryOptions options) => options with
    {
        IntentRefreshInterval = Read(Refresh) ?? options.IntentRefreshInterval,
        IntentStaleAfter = Read(Stale) ?? options.IntentStaleAfter,
    };

    private static TimeSpan? Read(string name)
    {
        if (Environment.GetEnvironmentVariable(name) is not { Length: > 0 } text)
            return null;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int seconds) && seconds > 0 ? TimeSpan.FromSeconds(seconds)
            : TimeSyntax.TryParseSpan(text, out TimeSpan span, out _) ? span
            : throw new CommandException(ExitCodes.WrongUsage, $"{name} is '{text}': write seconds, or a whole number and m, h or d, such as 5m");
    }
}
