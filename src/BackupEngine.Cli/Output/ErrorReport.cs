using System.CommandLine;
using BackupEngine.Cli.CommandLine;
using BackupEngine.ObjectStores;
using BackupEngine.Service;

namespace BackupEngine.Cli.Output;

/// <summary>Tells errors: one line on stderr, with <c>--json</c> also as the document on stdout, with <c>--verbose</c> also whole.</summary>
internal static class ErrorReport
{
    /// <summary>Reports what ended a command.</summary>
    /// <returns>The exit code that goes with it.</returns>
    public static int Write(Exception error, CommandContext context, CancellationToken cancellationToken)
    {
        int exitCode = ExitCodes.Of(error, cancellationToken.IsCancellationRequested);
        Write(MessageOf(error), exitCode, context.Json);
        if (context.Verbose)
            Print(error.ToString());
        return exitCode;
    }

    /// <summary>Reports a command line that cannot be understood.</summary>
    /// <returns>The exit code of wrong usage.</returns>
    public static int WriteUsage(ParseResult parsed)
    {
        Write(MessageOf(parsed), ExitCodes.WrongUsage, parsed.GetValue(SharedOptions.Json));
        return ExitCodes.WrongUsage;
    }

    /// <summary>What is wrong with a command line, and where to read how it is written.</summary>
    public static string MessageOf(ParseResult parsed)
    {
        List<string> path = [];
        for (Symbol? command = parsed.CommandResult.Command; command is not null; command = command.Parents.FirstOrDefault())
            path.Insert(0, command.Name);

        // With a mistyped command the parser first misses the command, and only then names what it found instead.
        string problem = parsed.UnmatchedTokens is [string unknown, ..]
            ? $"'{unknown}' is no command, argument or option of '{string.Join(' ', path)}'"
            : parsed.Errors[0].Message.TrimEnd('.');
        return $"{problem}. See '{string.Join(' ', path)} --help'.";
    }

    /// <summary>The message of an error for people.</summary>
    public static string MessageOf(Exception error) => error switch
    {
        ObjectStoreException { Error: ObjectStoreError.ContainerNotFound } => $"{error.Message}; check --store",
        ObjectStoreException { Error: ObjectStoreError.AccessDenied } when error.Message.StartsWith("s3://", StringComparison.Ordinal) =>
            $"{error.Message}; check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or AWS_PROFILE), and what they may do with the bucket",
        CommandException or BackupEngineException or ServiceConfigurationException or IOException or UnauthorizedAccessException => error.Message,
        // Anything else is a defect of the program, not of what the user did.
        _ => $"unexpected {error.GetType().Name}: {error.Message} (--verbose shows where)",
    };

    /// <summary>Writes an error line, and the document that stands for it.</summary>
    public static void Write(string message, int exitCode, bool json)
    {
        string line = OneLine(message);
        WriteLine(line);
        if (!json)
            return;
        try
        {
            CliJson.Print(new ErrorDocument(line, exitCode), CliJson.Default.ErrorDocument);
        }
        catch (IOException)
        {
            // The disk that stdout goes to may be the one that is full; the exit code still tells.
        }
    }

    /// <summary>Writes an error line alone.</summary>
    public static void WriteLine(string message) => Print($"error: {OneLine(message)}");

    /// <summary>Writes a warning line.</summary>
    public static void WriteWarning(string message) => Print($"warning: {OneLine(message)}");

    private static void Print(string text)
    {
        try
        {
            Console.Error.WriteLine(text);
        }
        catch (IOException)
        {
            // So may stderr; there is nobody left to tell.
        }
    }

    private static string OneLine(string text) =>
        string.Join(' ', text.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
}
