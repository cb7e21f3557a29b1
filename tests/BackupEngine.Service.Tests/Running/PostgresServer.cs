using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using BackupEngine.Service.Tests.Running;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;
using Npgsql;

[assembly: AssemblyFixture(typeof(PostgresServer))]

namespace BackupEngine.Service.Tests.Running;

/// <summary>A PostgreSQL server of this test run's own, from the system's package, on loopback; started when a test first asks, stopped at the end.</summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private static readonly SemaphoreSlim _starting = new(1, 1);
    private static string? _directory;
    private static string? _binaries;
    private static int _port;

    /// <summary>Makes a database and gives its connection string; skips the test where PostgreSQL is not installed.</summary>
    public static async Task<string> NewDatabaseAsync()
    {
        await _starting.WaitAsync(ServiceUnderTest.Cancel);
        try
        {
            if (_directory is null)
            {
                Start();
            }
        }
        finally
        {
            _starting.Release();
        }

        string name = $"catalog_{Guid.NewGuid():N}";
        await using NpgsqlConnection connection = new(ConnectionString("postgres"));
        await connection.OpenAsync(ServiceUnderTest.Cancel);
        await using NpgsqlCommand command = connection.CreateCommand();
        command.CommandText = $"CREATE DATABASE {name}";
        await command.ExecuteNonQueryAsync(ServiceUnderTest.Cancel);
        return ConnectionString(name);
    }

    public ValueTask DisposeAsync()
    {
        if (_directory is not null)
        {
            NpgsqlConnection.ClearAllPools();
            RunAsPostgres("pg_ctl", "stop", "-m", "immediate", "-D", Path.Combine(_directory, "data"));
            Directory.Delete(_directory, recursive: true);
        }

        return ValueTask.CompletedTask;
    }

    private static string ConnectionString(string database) => $"Host=127.0.0.1;Port={_port};Username=postgres;Database={database};Maximum Pool Size=20";

    private static void Start()
    {
        Requires.Servers();
        _binaries = Path.GetDirectoryName(Requires.Command("initdb"));
        using (TcpListener listener = new(IPAddress.Loopback, 0))
        {
            listener.Start();
            _port = ((IPEndPoint)listener.LocalEndpoint).Port;
        }

        string directory = Directory.CreateTempSubdirectory("backup-postgres-").FullName;
        if (Environment.UserName == "root")
        {
            SystemTool.Run("chown", "postgres", directory);
        }

        string data = Path.Combine(directory, "data");
        RunAsPostgres("initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8");
        RunAsPostgres("pg_ctl", "start", "-w", "-D", data, "-l", Path.Combine(directory, "log"), "-o", $"-p {_port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off");
        _directory = directory;
    }

    // The server refuses to run as root.
    private static void RunAsPostgres(string program, params string[] arguments)
    {
        string path = Path.Combine(_binaries!, program);
        bool isRoot = Environment.UserName == "root";
        ProcessStartInfo start = new(isRoot ? Requires.Command("runuser") : path) { WorkingDirectory = "/" };
        foreach (string argument in isRoot ? ["-u", "postgres", "--", path, .. arguments] : arguments)
        {
            start.ArgumentList.Add(argument);
        }

        // The server keeps the streams of pg_ctl open: reading them to their end would never end.
        using Process process = Process.Start(start)!;
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} ended with {process.ExitCode}");
    }
}
