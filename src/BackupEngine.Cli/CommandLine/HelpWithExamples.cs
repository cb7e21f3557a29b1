using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace BackupEngine.Cli.CommandLine;

/// <summary>The usual help, and after it what the options cannot say: examples, exit codes, how sizes and stores are written.</summary>
internal sealed class HelpWithExamples(HelpAction usual) : SynchronousCommandLineAction
{
    private const string RootNotes =
        """
        Start here:
          backup-engine demo
          backup-engine backup disk.img --store /backups --name first
          backup-engine backup disk.img --store /backups --incremental
          backup-engine restore latest --store /backups --to restored.img

        STORE is a directory, file:///directory, or s3://bucket/prefix. S3 settings come from the usual AWS places:
        AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_PROFILE, and AWS_ENDPOINT_URL for servers other than AWS.
        BACKUP is an id, the first characters of one (4 or more), or 'latest'.
        Sizes are bytes, or have a binary unit: 65536, 64KiB, 1MiB, 2GiB, 1TiB; K, M, G and T mean the same.

        Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 refused by state (dependents, no parent, not available)
        or by a store that does not honour conditions ('check-store' shows what it lacks), 5 corruption found, 130 cancelled.
        """;

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        int exitCode = usual.Invoke(parseResult);
        TextWriter output = parseResult.InvocationConfiguration.Output;
        switch (parseResult.CommandResult.Command)
        {
            case RootCommand:
                output.WriteLine(RootNotes);
                break;
            case EngineCommand command:
                output.WriteLine("Examples:");
                foreach (string example in command.Examples)
                    output.WriteLine($"  {example}");
                break;
        }

        return exitCode;
    }
}
