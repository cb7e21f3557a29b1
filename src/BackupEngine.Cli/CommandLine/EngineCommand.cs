using System.CommandLine;
using BackupEngine.Cli.Output;

namespace BackupEngine.Cli.CommandLine;

/// <summary>A command of the program: its help, and the one place where its errors are reported.</summary>
internal abstract class EngineCommand : Command
{
    protected EngineCommand(string name, string description, params string[] examples)
        : base(name, description)
    {
        Examples = examples;
        SetAction(RunAndReportAsync);
    }

    /// <summary>Whole command lines for the help.</summary>
    public IReadOnlyList<string> Examples { get; }

    /// <summary>What the user reads after Ctrl-C: says what is left behind.</summary>
    protected virtual string CancelledMessage => "cancelled";

    /// <summary>Does the work and prints its result; throws when it cannot.</summary>
    /// <returns>One of <see cref="ExitCodes"/>.</returns>
    protected abstract Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken);

    private async Task<int> RunAndReportAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using CommandContext context = new(parsed);
        try
        {
            return await RunAsync(context, cancellationToken);
        }
        catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested)
        {
            return ErrorReport.Write(new CommandException(ExitCodes.Cancelled, CancelledMessage, e), context, cancellationToken);
        }
        // Every error of every command ends here, as one line and an exit code; there is nobody above to tell.
        catch (Exception e)
        {
            return ErrorReport.Write(e, context, cancellationToken);
        }
    }
}
