using System.CommandLine;
using BackupEngine.Cli.CommandLine;
using BackupEngine.Cli.Stores;
using BackupEngine.Service;
using Microsoft.Extensions.Logging;

namespace BackupEngine.Cli.Commands;

internal sealed class ServeCommand : EngineCommand
{
    private readonly Option<string> _volumes = new("--volumes") { Description = "The directory of the volumes: files UUID.img.", HelpName = "DIR", Required = true };
    private readonly Option<string> _data = ServiceOptionSyntax.Data();
    private readonly Option<string> _database = ServiceOptionSyntax.Database();
    private readonly Option<string> _config = ServiceOptionSyntax.Config();
    private readonly Option<string> _listen = new("--listen") { Description = "The address to listen on.", HelpName = "URL", DefaultValueFactory = _ => "http://127.0.0.1:8776" };
    private readonly Option<AuthMode?> _auth = new("--auth")
    {
        Description = "How callers prove who they are: noauth (on loopback only), tokens or keystone (both need --config).",
        HelpName = "noauth|tokens|keystone",
        CustomParser = Parsers.Of<AuthMode?>(TryParseAuth),
    };

    public ServeCommand()
        : base(
            "serve",
            "Serves OpenStack's Block Storage Backup API (v2 and v3) until it is ended.",
            "backup-engine serve --store /backups --volumes /volumes --data /var/lib/backup-engine",
            "backup-engine serve --store s3://bucket/prefix --volumes /volumes --data /data --auth keystone --config service.json --listen https://0.0.0.0:8776")
    {
        foreach (Option option in (Option[])[SharedOptions.Store, _volumes, _data, _listen, _auth, _database, _config, SingleWriterSyntax.Option])
            Options.Add(option);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        StoreAddress address = context.GetRequired(SharedOptions.Store);
        ServeOptions options = new()
        {
            OpenStore = _ => new(OpenedRepository.OpenStore(address, createContainer: true)),
            VolumesDirectory = context.GetRequired(_volumes),
            DataDirectory = context.GetRequired(_data),
            Database = context.Get(_database),
            ConfigFile = context.Get(_config),
            Listen = context.GetRequired(_listen),
            Auth = context.Get(_auth),
            SingleWriter = context.Get(SingleWriterSyntax.Option),
            ConfigureLogging = logging => ConfigureLogging(logging, context.Verbose),
        };
        await BackupService.RunAsync(options, cancellationToken);
        return ExitCodes.Done;
    }

    // Logs go to stderr, as those of the other commands do.
    private static void ConfigureLogging(ILoggingBuilder logging, bool verbose)
    {
        logging.AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace)
            .AddSimpleConsole(format =>
            {
                format.SingleLine = true;
                format.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
                format.UseUtcTimestamp = true;
            });
        if (verbose)
            logging.SetMinimumLevel(LogLevel.Debug);
        else
            logging.AddFilter("Quartz", LogLevel.Warning).AddFilter("Microsoft", LogLevel.Warning).AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Information)
                .AddFilter("Microsoft.Extensions.Hosting", LogLevel.Critical); // what keeps the host from starting ends the command, and is told then
    }

    private static bool TryParseAuth(string text, out AuthMode? auth, out string problem)
    {
        auth = text switch
        {
            "noauth" => AuthMode.NoAuth,
            "tokens" => AuthMode.Tokens,
            "keystone" => AuthMode.Keystone,
            _ => null,
        };
        problem = $"'{text}' is no way to authenticate: noauth, tokens or keystone is.";
        return auth is not null;
    }
}
