using BackupEngine.Cli.Tests.Running;
using BackupEngine.TestKit.Requirements;

namespace BackupEngine.Cli.Tests.Commands;

/// <summary>What is no exported record, given to a store that holds a backup.</summary>
public sealed class ImportNonsenseTests(StoreWithOneBackup given) : IClassFixture<StoreWithOneBackup>
{
    public static TheoryData<string> Nonsense =>
    [
        "",
        "nonsense",
        "null",
        "[]",
        "42",
        "{}",
        """{"backup_service":"cinder.backup.drivers.backup_engine"}""",
        """{"backup_service":null,"backup_url":null}""",
        """{"backup_service":"x","backup_url":5}""",
        """{"backup-record":null}""",
        """{"backup-record":{}}""",
        """{"backup_service":"cinder.backup.drivers.backup_engine","backup_url":""}""",
        """{"backup_service":"cinder.backup.drivers.backup_engine","backup_url":"%%%"}""",
        """{"backup_service":"cinder.backup.drivers.backup_engine","backup_url":"bm9uc2Vuc2U="}""",
        """{"backup_service":"cinder.backup.drivers.backup_engine","backup_url":"e30="}""",
        """{"backup_service":"another.service","backup_url":"e30="}""",
    ];

    [LongRunning]
    [Theory]
    [MemberData(nameof(Nonsense))]
    public async Task Nonsense_is_refused_and_changes_nothing(string nonsense)
    {
        CliResult result = await CliProcess.RunAsync(new CliSettings { Input = nonsense }, "import", "-", "--store", given.Store);
        result.MustFail(ExitCodes.Failed, "record");
        given.MustBeUntouched();
    }
}
