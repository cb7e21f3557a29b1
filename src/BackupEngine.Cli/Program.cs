using System.CommandLine;
using System.CommandLine.Invocation;
using BackupEngine.Cli;
using BackupEngine.Cli.CommandLine;
using BackupEngine.Cli.Output;

using CancelSignals signals = new();
BackupEngineCommand root = new();

// Without a command there is nothing to do but to show what could be done.
ParseResult parsed = root.Parse(args.Length == 0 ? ["--help"] : args, BackupEngineCommand.ParserConfiguration);
if (parsed.Action is ParseErrorAction)
    return ErrorReport.WriteUsage(parsed);

InvocationConfiguration invocation = new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
int exitCode = await parsed.InvokeAsync(invocation, signals.Token);
return args.Length == 0 ? ExitCodes.WrongUsage : exitCode;
